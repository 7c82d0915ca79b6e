/// Coroutines for runs, reused: making one costs more than a small job.
#ifndef JOBREACTOR_COROUTINES_H
#define JOBREACTOR_COROUTINES_H

#include "base/state.h"

/// Takes an idle coroutine or makes one. May raise.
void jri_take_coroutine(lua_State *L, jri_coroutine *coroutine);

/// Ends whatever the coroutine still does, running its pending `__close`, and keeps it for another run if it may be
/// used again. Raises nothing.
void jri_give_coroutine(lua_State *L, jri_coroutine *coroutine);

#endif
