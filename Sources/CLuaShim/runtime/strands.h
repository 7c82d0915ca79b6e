/// What runs by turns within one run of a job: its steps, and the tasks that they start. A strand is a coroutine of the
/// host's; it may run coroutines of the script's own, through which a pause goes up to the strand.
#ifndef JOBREACTOR_STRANDS_H
#define JOBREACTOR_STRANDS_H

#include "runtime/run.h"

typedef enum {
  JRI_END_DONE,       // its results are in its coroutine
  JRI_END_RAISED,     // the error is pushed
  JRI_END_CANCELLED,  // the run is
  JRI_END_SUSPENDED,
  JRI_END_INTERRUPTED,
} jri_strand_end;

/// Calls the function that has been moved into the strand's coroutine with its arguments, or goes on where it was
/// suspended.
jri_strand_end jri_run_strand(lua_State *L, jri_strand *strand, int arguments);

/// Puts a strand that has what it waited for behind those that are ready.
void jri_make_ready(jri_run *run, jri_strand *strand);

/// Takes the next that is ready; NULL when there is none.
jri_strand *jri_next_ready(jri_run *run);

/// Ends the wait of a strand, and whatever its coroutine still does. Raises nothing.
void jri_end_strand(lua_State *L, jri_strand *strand);

/// Raises that the function `word` was called while no job runs, if none does.
void jri_require_running(lua_State *L, const char *word);

/// Raises that the function `word` cannot pause here, and why, if it cannot.
void jri_require_pause(lua_State *L, const char *word);

/// Suspends the strand that runs; `continuation` is called when it goes on.
int jri_suspend(lua_State *L, lua_KFunction continuation);

/// Called where a coroutine has yielded to the function that runs, because the strand is being suspended: that has to
/// go on yielding. `thread` cannot be resumed by anybody else until then.
void jri_hold(lua_State *L, lua_State *thread);
void jri_release(lua_State *L, lua_State *thread);
bool jri_is_held(lua_State *L, lua_State *thread);

#endif
