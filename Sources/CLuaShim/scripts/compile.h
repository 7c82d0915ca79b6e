/// How the text of a script becomes a function.
#ifndef JOBREACTOR_COMPILE_H
#define JOBREACTOR_COMPILE_H

#include "base/state.h"

/// Pushes the function that the text compiles to; raises what is wrong with it. A byte order mark and a first line for
/// the shell are skipped.
void jri_compile(lua_State *L, const char *name, const char *source, size_t length);

#endif
