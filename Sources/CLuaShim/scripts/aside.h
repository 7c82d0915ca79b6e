/// Calls beside the runs of jobs.
#ifndef JOBREACTOR_ASIDE_H
#define JOBREACTOR_ASIDE_H

#include "CLuaShim.h"

#include <lua.h>

/// Calls the function with the request, a light userdata. Finalizers that are due meanwhile are bounded as while
/// scripts load; of one that takes longer the log says that it was while `doing`. False when the function raised, as
/// when memory ran out.
bool jri_call_aside(jr_state *state, lua_CFunction function, void *request, const char *doing);

#endif
