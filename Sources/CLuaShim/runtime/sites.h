/// Where a script has called C, noted before the call or found by a signal.
///
/// Of the functions of Lua's libraries that may take long the thread that runs notes it before the call. Any other, as
/// one of a module in C, is known only to the Lua stack, which is its thread's own: so the handler of a signal to that
/// thread looks, and leaves a text for others.
#ifndef JOBREACTOR_SITES_H
#define JOBREACTOR_SITES_H

#include "base/state.h"

/// The function is about to be called by the nearest script; `function` is a constant. Until `jri_end_call`.
void jri_begin_call(lua_State *L, const char *function);

/// Finds what tells a handler whether it may look; `function` is one of Lua's own. Before any state runs.
void jri_open_sites(lua_CFunction function);

/// In a signal handler, on the thread where the coroutine runs: notes where a script has called the function of C that
/// is under way, if one is and the stack can be looked at now. `context` is the handler's.
void jri_note_site(jr_state *state, lua_State *L, const void *context);

#endif
