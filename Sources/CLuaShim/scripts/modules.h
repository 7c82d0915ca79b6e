/// Modules of the folder that no script has required: they wait in the state for a job that does.
#ifndef JOBREACTOR_MODULES_H
#define JOBREACTOR_MODULES_H

#include "base/state.h"

/// Pushes what stands for such a module among `modules`: a userdata, with its text.
void jri_push_waiting_module(lua_State *L, const jr_script *script);

/// What `require` calls then. Upvalue: that userdata.
int jri_load_waiting_module(lua_State *L);

#endif
