/// One run of a job, from its beginning to its outcome, also while it is suspended; and what runs by turns within it.
#ifndef JOBREACTOR_RUN_H
#define JOBREACTOR_RUN_H

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
  double retry_in;          // what `retry_in` said last; NAN when it was not called

  // While it is suspended, and of what a slice begins with.
  bool suspended;
  jri_run *next_suspended;
  jri_run *previous_suspended;
  jr_end_reason ending;  // 0 for none
  jri_strand *woken;
  int kept_error;  // registry references of what phases have on their stack
  int kept_record;
  int kept_args;
  jri_time_left left;
  char *kept;  // the request's bytes
  size_t kept_size;
  size_t charged;     // for what the host keeps of it
  jri_buffer *aside;  // what suspended errbacks work on
};

/// Stack indexes in all phases.
enum { JRI_AT_RUN = 1, JRI_AT_ERROR, JRI_AT_RECORD, JRI_AT_STEPS, JRI_AT_ARGS };

#endif
