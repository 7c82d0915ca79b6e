/// What scripts say of when jobs run.
#ifndef JOBREACTOR_DECLARATIONS_H
#define JOBREACTOR_DECLARATIONS_H

#include <lua.h>

/// `schedule`, `limit`.
void jri_open_declarations(lua_State *L);

#endif
