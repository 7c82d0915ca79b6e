/// The first phase of a run, and steps as all phases have them. A phase is a function that Lua calls protected, with
/// the run as its argument.
#ifndef JOBREACTOR_STEPS_H
#define JOBREACTOR_STEPS_H

#include "runtime/job.h"
#include "runtime/run.h"

typedef enum { JRI_STEP_DONE, JRI_STEP_RAISED, JRI_STEP_CANCELLED, JRI_STEP_SUSPENDED } jri_step_end;

/// The body and the callbacks.
int jri_phase_steps(lua_State *L);

/// Puts the record of the job and its steps in their places; NULL when the job is undefined.
const jri_job *jri_find_job(lua_State *L, const jri_run *run);

/// Pushes the stored args, to their place, with `job_itself` if the request has it.
void jri_push_args(lua_State *L, jri_run *run);

/// Runs steps from the run's position as long as they are good; `end` is behind the last.
jri_step_end jri_run_steps(lua_State *L, jri_run *run, int end);

/// How the step ends that the run's interruption ended, or kept from beginning. Pushes the error of one that raised.
jri_step_end jri_interrupted_step(lua_State *L, jri_run *run);

/// Says in the result which step it is that raised.
void jri_note_step(lua_State *L, jri_run *run);

#endif
