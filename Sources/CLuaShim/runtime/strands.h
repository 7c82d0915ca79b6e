/// What runs by turns within one run of a job: its steps, and the tasks that they start. A strand is a coroutine of the
/// host's; it may run coroutines of the script's own, through which a pause goes up to the strand.
#ifndef JOBREACTOR_STRANDS_H
#define JOBREACTOR_STRANDS_H

#include "base/state.h"

typedef enum {
  JRI_STRAND_IDLE = 0,   // has no function; of the steps' strand, between two of them
  JRI_STRAND_RUNNING,    // now, or has started one that does
  JRI_STRAND_SUSPENDED,  // waits for the host
  JRI_STRAND_WAITING,    // waits for another
  JRI_STRAND_READY,      // waits for its turn
  JRI_STRAND_DONE,
  JRI_STRAND_RAISED,
  JRI_STRAND_CANCELLED,
} jri_strand_state;

/// That of the steps is part of the run; a task's is a userdata that scripts see, anchored in the registry while it is
/// alive. Its user values: the list of its results or its error, and the traceback of that.
struct jri_strand {
  jri_run *run;  // NULL once it has ended
  jri_coroutine coroutine;
  jri_strand_state state;
  bool daemon;   // ends with the step that started it
  bool doomed;   // cancelled while it ran: ends at its next pause
  bool awaited;  // somebody was told of its end
  int reference;
  int results;
  uint64_t token;    // of what the host does for it; 0 for none
  jri_strand *next;  // among the tasks of the run
  jri_strand *previous;
  jri_strand *next_ready;  // among those ready, or those that wait for the same one
  jri_strand *waiters;     // those that wait for this one
  jri_strand *waits_for;
};

enum { JRI_TASK_OUTCOME = 1, JRI_TASK_TRACEBACK, JRI_TASK_VALUES = JRI_TASK_TRACEBACK };

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

/// Runs a task from where it is. What it comes to is kept in it. May raise "not enough memory".
void jri_run_task(lua_State *L, jri_strand *task, int arguments);

/// Puts a strand that has what it waited for behind those that are ready.
void jri_make_ready(jri_run *run, jri_strand *strand);

/// Takes the next that is ready; NULL when there is none.
jri_strand *jri_next_ready(jri_run *run);

/// Whether tasks run that the step has to wait for.
bool jri_has_tasks(const jri_run *run);

/// Pushes the error of a task that nobody has waited for, and its traceback into the state's buffer; false when there
/// is none.
bool jri_push_unseen_error(lua_State *L, jri_run *run);

/// Ends all tasks of the run: what they have to close is closed. Raises nothing.
void jri_end_tasks(lua_State *L, jri_run *run);

/// Ends the wait of a strand, and whatever its coroutine still does. Raises nothing.
void jri_end_strand(lua_State *L, jri_strand *strand);

/// Raises that the function `word` cannot pause here, and why, if it cannot.
void jri_require_pause(lua_State *L, const char *word);

/// Suspends the strand that runs; `continuation` is called when it goes on.
int jri_suspend(lua_State *L, lua_KFunction continuation);

/// Called where a coroutine has yielded to the function that runs: if the strand is being suspended, that has to go on
/// yielding. `thread` cannot be resumed by anybody else until then.
bool jri_is_suspending(lua_State *L);
void jri_hold(lua_State *L, lua_State *thread);
void jri_release(lua_State *L, lua_State *thread);
bool jri_is_held(lua_State *L, lua_State *thread);

#endif
