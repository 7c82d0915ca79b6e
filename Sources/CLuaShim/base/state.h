/// What the files of the shim share: the state and how it allocates.
#ifndef JOBREACTOR_STATE_H
#define JOBREACTOR_STATE_H

#include <assert.h>
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "CLuaShim.h"
#include "base/activity.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/setting_names.h"
#include "base/timer.h"

/// Why a run has to end from outside.
typedef enum {
  JRI_UNINTERRUPTED = 0,
  JRI_CANCELLED_OUTSIDE = 1,
  JRI_TIMED_OUT = 2,
  JRI_OVERRAN = 3,  // too long without a pause
} jri_interruption_reason;

/// Cancellations that came before their runs are few: a caller names the run it believes to be under way.
enum { JRI_CANCELLED_AHEAD = 4 };

/// What can interrupt a run, and whether it has; `runtime/interruption.h` works on it.
typedef struct {
  // Between the thread that runs and those that cancel. `thread` is set while `running` is not 0, and does not leave
  // `jr_run` as long as there are `cancellers`.
  _Atomic(uint64_t) running;     // number of the run under way, or 0
  _Atomic(uint64_t) cancelled;   // the same number, once it was cancelled
  _Atomic(uint64_t) overran;     // the same number, once it ran too long without a pause
  _Atomic(uint64_t) asked;       // the same number, when it is to say where it is
  _Atomic(int64_t) slice_began;  // nanoseconds of the monotonic clock; 0 when nothing runs
  _Atomic(uint64_t) ahead[JRI_CANCELLED_AHEAD];
  _Atomic(unsigned) next_ahead;
  _Atomic(unsigned) cancellers;
  pthread_t thread;

  // Between the thread that runs and its own signal handler.
  _Atomic(lua_State *) current;  // the coroutine that runs
  _Atomic(int) reason;           // why it has to end, a `jri_interruption_reason`
  _Atomic(bool) disturbed;       // hooks were set in this run: its coroutines are not used again
  _Atomic(int64_t) deadline;     // nanoseconds of the monotonic clock, or 0

  int64_t timeout;     // nanoseconds, or 0
  bool counting;       // there is no timer: a hook looks at the clock now and then
  lua_State *closing;  // the main coroutine, while the state is closed
  jri_timer timer;
  bool noted;      // the place where the run was interrupted is known
  char place[96];  // `file:line: ` of it
} jri_interruption;

/// What a suspended run takes along.
typedef struct {
  int64_t timeout;
  int64_t deadline;
  bool disturbed;
} jri_time_left;

/// What `collectgarbage` takes; what scripts have set while they were loaded, Lua's own where they did not.
typedef struct {
  bool changed;  // since the run began, or ran on, or the script
  bool generational;
  int pause;
  int step_multiplier;
  int step_size;
  int minor;
  int major;
} jri_collector;

/// Idle coroutines that are kept for coming runs; more than that are left to the garbage collector.
enum { JRI_IDLE_COROUTINES = 8 };

typedef struct {
  lua_State *thread;
  int reference;  // in the registry, which keeps it alive
  bool resumed;   // and has not come back
} jri_coroutine;

typedef struct jri_run jri_run;
typedef struct jri_strand jri_strand;
typedef struct jri_loading jri_loading;

/// A run for as long as it is under way: to its end or its next pause. Begins and ends with nothing in it; what a run
/// takes along is in `jri_run`.
typedef struct {
  jri_run *run;             // NULL when none is under way
  void *host_run;           // `jr_request.run` of it
  jri_strand *strand;       // that runs
  const jr_answer *answer;  // for the strand that goes on
  lua_State *barrier;       // runs another coroutine, where no pause can go through it; NULL when there is none
  int finalizing;           // finalizers under way, also while no run is
  bool suspending;          // the strand that runs is, and yields through whatever coroutines it runs
  bool closing;             // what has ended closes its variables
  bool cancelled;           // `CancelJob` was raised: nothing a script does can take it back
  bool keeps_traceback;     // only the first phase of a run leaves one
  bool in_errback;
} jri_slice;

enum { JRI_BUFFERS = 11 };

struct jr_state {
  lua_State *lua;
  jr_host host;
  const jri_setting_names *names;
  jri_memory memory;

  union {
    struct {
      // What calls hand out; each lives until the next call.
      jri_buffer args;
      jri_buffer error;
      jri_buffer errback_error;
      jri_buffer message;
      jri_buffer traceback;
      jri_buffer step;
      /// Holds nothing while anything runs that may run a script, a finalizer included: those use it too.
      jri_buffer scratch;
      /// Of which only some pieces have come.
      jri_buffer warning;
      /// Text on its way into another buffer.
      jri_buffer note;
      // Where an error came from that is on its way through coroutines of the script's own.
      jri_buffer inner_traceback;
      jri_buffer inner_error;
    };
    jri_buffer buffers[JRI_BUFFERS];  // the same
  };

  // Registry references.
  int array_metatable;
  int cancel_job;
  int jobs;     // name → job record, made by joining
  int files;    // one list of definitions for each file that loaded
  int pending;  // the list of the file that now loads; false otherwise
  int modules;  // of the folder: name → how far it is loaded
  int waiting;  // token → the strand that waits for it
  int holding;  // the coroutines that are part of a pause, as keys
  int task_metatable;
  int sentinels;  // objects with a finalizer, as keys → what is finalized in their place
  int sentinel_metatable;

  /// The address of the metatable that marks arrays: to compare it takes no look into the registry.
  const void *array_metatable_address;
  /// The same for `CancelJob`.
  const void *cancel_job_address;

  jri_coroutine idle[JRI_IDLE_COROUTINES];
  int idle_count;

  jri_interruption interruption;
  jri_call call;
  jri_site site;
  jri_collector collector;
  jri_slice slice;

  // Runs that are not under way.
  jri_run *spare;  // which is begun next
  jri_run *first_suspended;
  size_t suspended;  // how many are
  uint64_t last_token;
  int held;  // coroutines that are part of a pause

  // Scripts that are loaded.
  bool loading;
  const jri_loading *loading_set;  // what `jr_load_scripts` is at
  _Atomic(size_t) script;          // index of the script that it runs, plus 1; 0 for none
  double loading_seconds;          // that each may take, and finalizers beside runs
};

_Static_assert(offsetof(jr_state, buffers) + sizeof(((jr_state *)0)->buffers) ==
                   offsetof(jr_state, inner_error) + sizeof(jri_buffer),
               "each buffer has a name");

/// A state without Lua; NULL when memory ran out.
jr_state *jri_make_state(const jr_host *host, const jr_options *options);

/// Makes its Lua state, which has nothing yet. False when memory ran out.
bool jri_start_lua(jr_state *state);

/// Its Lua state is closed.
void jri_free_state(jr_state *state);

/// The address of the state is in each coroutine; its lowest bit says that the coroutine is the host's. Lua makes new
/// ones with what the main one has, which is without the bit.
enum { JRI_HOST_BIT = 1 };

static inline jr_state *jri_state(lua_State *L) {
  return (jr_state *)(*(uintptr_t *)lua_getextraspace(L) & ~(uintptr_t)JRI_HOST_BIT);
}

/// Whether the coroutine is one that `jri_take_coroutine` made.
static inline bool jri_is_hosts(lua_State *L) { return (*(uintptr_t *)lua_getextraspace(L) & JRI_HOST_BIT) != 0; }

/// Why the run has to end from outside, if it has to.
static inline jri_interruption_reason jri_interrupted(jr_state *state) {
  return (jri_interruption_reason)atomic_load_explicit(&state->interruption.reason, memory_order_relaxed);
}

/// Room for `size` bytes in the scratch buffer, collecting garbage when memory is short; raises when there is none.
char *jri_scratch(lua_State *L, size_t size);

/// Every public call starts by forgetting what the one before handed out.
void jri_begin(jr_state *state);

/// Every public call leaves the main stack empty, whatever happened in it.
static inline void jri_end(jr_state *state) {
  assert(lua_gettop(state->lua) == 0);
  (void)state;
}

#endif
