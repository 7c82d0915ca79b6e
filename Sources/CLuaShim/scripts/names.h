/// The names of jobs and the labels of their steps.
#ifndef JOBREACTOR_NAMES_H
#define JOBREACTOR_NAMES_H

#include "base/state.h"

/// Checks a name, which travels on the wire and in storage keys and is typed on command lines, or (with spaces) a
/// label; raises what is wrong. `word` is who asks, `what` it is. Allocates only to raise.
void jri_check_text(lua_State *L, const char *word, const char *what, int index, bool spaces);

#endif
