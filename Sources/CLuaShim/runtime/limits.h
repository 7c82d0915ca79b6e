/// The errors of runs that have used up their time.
#ifndef JOBREACTOR_LIMITS_H
#define JOBREACTOR_LIMITS_H

#include "runtime/run.h"

/// Pushes the error of a run that an interruption has ended which is no cancellation. May raise "not enough memory".
void jri_push_limit_error(lua_State *L, const jri_run *run);

/// The same, of one whose time was up while it was suspended.
void jri_push_timeout_error(lua_State *L, const jri_run *run);

#endif
