/// How `require` finds the scripts of the folder.
#ifndef JOBREACTOR_REQUIRE_H
#define JOBREACTOR_REQUIRE_H

#include <lua.h>

/// Puts the folder before the files that `require` looks for.
void jri_open_require(lua_State *L);

#endif
