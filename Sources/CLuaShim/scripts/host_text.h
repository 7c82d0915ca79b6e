/// What of scripts the host alone reads: it gives a text to keep in its place.
#ifndef JOBREACTOR_HOST_TEXT_H
#define JOBREACTOR_HOST_TEXT_H

#include <lua.h>

/// Hands the values from stack index `first` to `last` to the host, as what `word` was called with, and pushes the text
/// that it gives for them; raises what is wrong with them.
void jri_push_host_text(lua_State *L, const char *word, int first, int last);

#endif
