/// `CancelJob`, which ends a run for good.
#ifndef JOBREACTOR_CANCELLING_H
#define JOBREACTOR_CANCELLING_H

#include "base/state.h"

/// Raises `CancelJob`, and marks the run as cancelled.
int jri_raise_cancel(lua_State *L);

/// Whether the value is `CancelJob`.
bool jri_is_cancel(lua_State *L, int index);

/// Raises `CancelJob` when this run is cancelled: for every function that may have caught it.
void jri_raise_cancelled(lua_State *L);

#endif
