/// The scripts of a folder, while they are loaded.
#ifndef JOBREACTOR_SCRIPTS_H
#define JOBREACTOR_SCRIPTS_H

#include <lua.h>

/// What `require` calls to run a script before its turn. Upvalue: its index.
int jri_load_module(lua_State *L);

/// Raises by way of which scripts the module is asked for while it runs.
int jri_raise_cycle(lua_State *L, const char *module);

#endif
