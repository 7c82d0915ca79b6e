/// The second and the third phase of a run, after a failure. A phase is a function that Lua calls protected, with the
/// run as its argument.
#ifndef JOBREACTOR_ERRBACKS_H
#define JOBREACTOR_ERRBACKS_H

#include "runtime/run.h"

/// The errbacks. The error is at its place.
int jri_phase_errbacks(lua_State *L);

/// The backoff function, of the attempt and of the error as the errbacks left it.
int jri_phase_backoff(lua_State *L);

/// Says that the backoff function came to nothing, and why.
void jri_warn_of_backoff(const jri_run *run, const char *reason, size_t length);

#endif
