/// One run of a job, from its beginning to its outcome, also while it is suspended.
#ifndef JOBREACTOR_RUN_H
#define JOBREACTOR_RUN_H

#include "base/state.h"
#include "runtime/interruption.h"
#include "runtime/strands.h"

typedef enum { JRI_PHASE_STEPS, JRI_PHASE_ERRBACKS, JRI_PHASE_BACKOFF, JRI_PHASE_FINISHED } jri_phase;

/// The error, its message, its traceback, and which step it was.
enum { JRI_ASIDE = 4 };

struct jri_run {
  jr_state *state;
  jr_request request;
  jr_result *result;  // of the call that is under way
  jri_phase phase;
  int position;       // of the step that runs, or is suspended
  jri_strand steps;   // what runs them
  jri_strand *tasks;  // alive, or with an error that nobody has seen
  jri_strand *ready;  // first in
  jri_strand *last_ready;
  int tasks_alive;          // without daemons
  bool args_invalid;        // the stored args are not a JSON object
  bool job_itself_invalid;  // nor is this one
  bool keeps_stored_args;   // the result has no better ones
  bool has_backoff;         // the job has a function for it

  // While it is suspended, and of what a slice begins with.
  bool suspended;
  jri_run *next_suspended;
  jri_run *previous_suspended;
  jr_end_reason ending;  // 0 for none
  jri_strand *woken;
  int kept_error;  // registry references of what phases have on their stack
  int kept_record;
  int kept_args;
  double retry_in;
  jri_time_left left;
  char *kept;  // the request's bytes
  size_t kept_size;
  size_t charged;     // for what the host keeps of it
  jri_buffer *aside;  // what suspended errbacks work on
};

/// Makes a run that is about to be begun; NULL when memory ran out.
jri_run *jri_make_run(jr_state *state);

/// `run` may be NULL.
void jri_free_run(jr_state *state, jri_run *run);

/// The run is over: its memory is for another.
void jri_recycle_run(jri_run *run);

/// Keeps what the phase has on its stack, and the request's bytes. May raise "not enough memory".
void jri_keep_suspended(lua_State *L, jri_run *run);

/// Puts the values of the phase in their places; the run is at its own.
void jri_place_kept(lua_State *L, jri_run *run);

/// The values that were kept are not needed any more.
void jri_forget_kept(lua_State *L, jri_run *run);

/// The stored args as they came. They are copied past the memory limit: a job must not lose its args to it.
jr_bytes jri_stored_args(const jri_run *run);

void jri_add_suspended(jri_run *run);
void jri_remove_suspended(jri_run *run);

/// Frees the runs that are suspended, when the state closes.
void jri_free_suspended(jr_state *state);

#endif
