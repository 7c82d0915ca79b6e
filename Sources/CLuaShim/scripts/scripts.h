/// The scripts of a folder.
#ifndef JOBREACTOR_SCRIPTS_H
#define JOBREACTOR_SCRIPTS_H

#include <lua.h>

/// What `require` finds in the folder of the scripts.
void jri_open_scripts(lua_State *L);

#endif
