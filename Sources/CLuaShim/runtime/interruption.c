#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // signals to one thread
#endif
#include "runtime/interruption.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "runtime/collector.h"
#include "runtime/interrupting.h"
#include "runtime/places.h"
#include "runtime/sites.h"
#include "runtime/tracebacks.h"

// Under the thread sanitizer a signal reaches its thread only when that calls into the C library, which Lua may never
// do: there a hook looks now and then, as where a timer cannot be made.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COUNTS_ALWAYS true
#endif
#endif
#ifndef COUNTS_ALWAYS
#define COUNTS_ALWAYS false
#endif

enum { INSTRUCTIONS_BETWEEN_LOOKS = 10000 };
/// Lua may miss a hook that is set in the one instant in which it finds that there is none: so it is set again.
#define AGAIN_AFTER (JRI_SECOND / 10)

static _Thread_local jr_state *volatile running_here;
static _Thread_local uint64_t this_thread;  // pthread_t values are used again, these are not

/// Keeps the compiler from moving accesses across it, for the signal handler's sake: that runs on the same thread.
static inline void order(void) { atomic_signal_fence(memory_order_seq_cst); }

#define GET(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static void start_timer(jri_interruption *i, int64_t now, int64_t deadline) {
  // Signals would come on top of the looks.
  if (COUNTS_ALWAYS) return;
  if (!jri_start_timer(&i->timer, this_thread, now, deadline)) i->counting = true;
}

// MARK: The hook

static void hook(lua_State *L, lua_Debug *frame);

static void set_hook(lua_State *L) { lua_sethook(L, hook, LUA_MASKCOUNT, 1); }

static bool has_hook(lua_State *L) { return lua_gethook(L) == hook && lua_gethookcount(L) == 1; }

/// Why the run has to end now, if it has to.
static jri_interruption_reason find_reason(jri_interruption *i) {
  uint64_t cancelled = atomic_load(&i->cancelled);
  uint64_t running = GET(i->running);
  if (cancelled != 0 && cancelled == running) return JRI_CANCELLED_OUTSIDE;
  uint64_t overran = GET(i->overran);
  if (overran != 0 && overran == running) return JRI_OVERRAN;
  int64_t deadline = GET(i->deadline);
  return deadline != 0 && jri_clock_now() >= deadline ? JRI_TIMED_OUT : JRI_UNINTERRUPTED;
}

static void mark(jri_interruption *i, jri_interruption_reason reason) {
  SET(i->disturbed, true);
  SET(i->reason, reason);
  order();
}

/// Sets the hook that the coroutine needs, if it needs one.
static void watch(jri_interruption *i, lua_State *L) {
  if (GET(i->reason) != JRI_UNINTERRUPTED) {
    set_hook(L);
  } else if (i->counting) {
    lua_sethook(L, hook, LUA_MASKCOUNT, INSTRUCTIONS_BETWEEN_LOOKS);
    order();
    if (GET(i->reason) != JRI_UNINTERRUPTED) set_hook(L);
  }
}

/// A hook may have come from an earlier run, in a coroutine that a script has kept or made then.
static void unwatch(jri_interruption *i, lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  order();
  watch(i, L);
}

/// `file:line: ` of the nearest script, for a library's function is called from there; empty where there is none.
static void write_place(lua_State *L, char *place, size_t size) {
  lua_Debug frame;
  place[0] = 0;
  for (int level = 0; lua_getstack(L, level, &frame); level++) {
    if (!jri_is_script(L, &frame)) continue;
    snprintf(place, size, "%s:%d: ", frame.short_src, frame.currentline);
    return;
  }
}

static bool is_asked(jri_interruption *i) {
  uint64_t asked = GET(i->asked);
  return asked != 0 && asked == GET(i->running);
}

/// Says where the run is that nobody has heard of for long.
static void tell_place(jr_state *state, lua_State *L) {
  jri_interruption *i = &state->interruption;
  char place[sizeof i->place], text[sizeof i->place + 160];
  SET(i->asked, 0);
  if (state->host.log == NULL) return;
  write_place(L, place, sizeof place);
  double seconds = (double)(jri_clock_now() - GET(i->slice_began)) / (double)JRI_SECOND;
  int length =
      snprintf(text, sizeof text, "%sthe job has run for %.1f s without suspension and blocks the others of its lane",
               place, seconds);
  state->host.log(state->host.context, state->slice.host_run, JR_LOG_WARNING, text, (size_t)length);
}

static void note_place(jr_state *state, lua_State *L) {
  jri_note_place(state, L);
  // From 1: without the protected function that walks the stack. Later the coroutine is one instruction behind.
  if (state->slice.keeps_traceback) jri_keep_traceback(L, L, 1, &state->traceback);
}

static void hook(lua_State *L, lua_Debug *frame) {
  (void)frame;
  jr_state *state = jri_state(L);
  jri_interruption *i = &state->interruption;
  jri_forget_site(&state->site);
  if (GET(i->reason) == JRI_UNINTERRUPTED) {
    if (is_asked(i)) tell_place(state, L);
    bool due = i->counting && find_reason(i) != JRI_UNINTERRUPTED;
    if (!due && i->counting && lua_gethookcount(L) != 1) return;
    if (!due) {
      unwatch(i, L);
      return;
    }
    mark(i, find_reason(i));
    set_hook(L);
  }
  SET(i->asked, 0);
  if (!i->noted && GET(i->reason) != JRI_CANCELLED_OUTSIDE) note_place(state, L);
  jri_stop(L);
}

int jri_stop(lua_State *L) {
  set_hook(L);
  if (lua_isyieldable(L)) return lua_yield(L, 0);
  jri_raise_memory(L);
}

// MARK: The signal

static struct sigaction earlier;

static void hook_current(jri_interruption *i) {
  lua_State *current = GET(i->current);
  if (current != NULL) set_hook(current);
}

/// Returns whether the signal was for the run.
static bool interrupt(jr_state *state) {
  jri_interruption *i = &state->interruption;
  jri_interruption_reason reason = find_reason(i);
  int64_t deadline = GET(i->deadline);
  if (reason == JRI_UNINTERRUPTED) {
    if (deadline != 0) jri_set_timer(&i->timer, this_thread, deadline);
    if (!is_asked(i)) return false;
    SET(i->disturbed, true);
    hook_current(i);
    return true;
  }
  mark(i, reason);
  hook_current(i);
  if (deadline != 0) jri_set_timer(&i->timer, this_thread, jri_clock_now() + AGAIN_AFTER);
  return true;
}

static void handle(int signal, siginfo_t *info, void *context) {
  int kept = errno;
  jr_state *state = running_here;
  bool ours = state != NULL && interrupt(state);
  lua_State *current = ours ? GET(state->interruption.current) : NULL;
  // It may be within C, and not come to the hook.
  if (current != NULL) jri_note_site(state, current, context);
  if (!ours && !jri_is_timer_signal(info)) {
    if (earlier.sa_flags & SA_SIGINFO) {
      earlier.sa_sigaction(signal, info, context);
    } else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) {
      earlier.sa_handler(signal);
    }
  }
  errno = kept;
}

static void install(void) {
  // The earlier handler has to be known before ours can run.
  sigaction(SIGURG, NULL, &earlier);
  struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_RESTART};
  ours.sa_sigaction = handle;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGURG, &ours, NULL);
}

/// What has to be done once on each thread that runs jobs.
static void prepare_thread(void) {
  static pthread_once_t installed = PTHREAD_ONCE_INIT;
  static _Atomic(uint64_t) threads;
  pthread_once(&installed, install);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGURG);
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
  this_thread = atomic_fetch_add(&threads, 1) + 1;
}

// MARK: A run

/// From here on the timer's signal is looked at.
static void start_timeout(jri_interruption *i, int64_t now) {
  if (i->timeout == 0) return;
  SET(i->deadline, now + i->timeout);
  order();
  start_timer(i, now, now + i->timeout);
}

/// Returns what time it is.
static int64_t begin(jr_state *state, uint64_t number) {
  jri_interruption *i = &state->interruption;
  if (this_thread == 0) prepare_thread();
  jri_forget_site(&state->site);
  i->noted = false;
  i->counting = COUNTS_ALWAYS;
  i->place[0] = 0;
  i->thread = pthread_self();
  order();
  running_here = state;
  atomic_store(&i->running, number);
  if (jri_cancelled_ahead(i, number) || (number != 0 && atomic_load(&i->cancelled) == number)) {
    atomic_store(&i->cancelled, number);
    mark(i, JRI_CANCELLED_OUTSIDE);
  }
  int64_t now = jri_clock_now();
  SET(i->slice_began, now);
  return now;
}

void jri_begin_interruption(jr_state *state, uint64_t number, double timeout) {
  jri_interruption *i = &state->interruption;
  // Not longer than a definition may say, so that no sum overflows; not NAN; and 0 is no limit.
  double seconds = timeout <= 1e9 ? timeout : timeout > 0 ? 1e9 : 0;
  i->timeout = seconds > 0 ? (int64_t)(seconds * (double)JRI_SECOND) + 1 : 0;
  start_timeout(i, begin(state, number));
}

void jri_begin_aside(jr_state *state) {
  jri_begin_interruption(state, 0, state->loading_seconds);
  SET(state->interruption.current, state->lua);
  if (state->interruption.counting) watch(&state->interruption, state->lua);
}

static void tell_late(jr_state *state, const char *doing) {
  jri_interruption *i = &state->interruption;
  char text[sizeof i->place + 160];
  if (state->host.log == NULL) return;
  int length =
      snprintf(text, sizeof text,
               "%sa finalizer (__gc) ran longer than %g s while %s: it was ended, and those behind it were not run",
               i->place, state->loading_seconds, doing);
  state->host.log(state->host.context, NULL, JR_LOG_WARNING, text, (size_t)length);
}

void jri_end_aside(jr_state *state, const char *doing) {
  jri_restore_collector(state);
  bool late = GET(state->interruption.reason) != JRI_UNINTERRUPTED;
  jri_end_interruption(state);
  if (late) tell_late(state, doing);
}

jri_time_left jri_time_left_of(const jr_state *state) {
  const jri_interruption *i = &state->interruption;
  return (jri_time_left){.timeout = i->timeout, .deadline = GET(i->deadline), .disturbed = GET(i->disturbed)};
}

void jri_continue_interruption(jr_state *state, uint64_t number, const jri_time_left *left) {
  jri_interruption *i = &state->interruption;
  i->timeout = left->timeout;
  int64_t now = begin(state, number);
  // What an earlier slice of the run was interrupted by has left hooks in its coroutines.
  if (left->disturbed) SET(i->disturbed, true);
  if (left->deadline == 0) return;
  SET(i->deadline, left->deadline);
  order();
  start_timer(i, now, left->deadline);
}

void jri_note_place(jr_state *state, lua_State *thread) {
  jri_interruption *i = &state->interruption;
  i->noted = true;
  write_place(thread, i->place, sizeof i->place);
}

void jri_renew_timeout(jr_state *state) {
  jri_interruption *i = &state->interruption;
  SET(i->current, state->lua);
  i->noted = false;
  i->place[0] = 0;
  atomic_store(&i->overran, 0);
  start_timeout(i, jri_clock_now());
  if (!GET(i->disturbed)) return;
  order();
  SET(i->reason, JRI_UNINTERRUPTED);
  order();
  // Also what the handler may have marked an instant ago.
  jri_interruption_reason reason = find_reason(i);
  if (reason != JRI_UNINTERRUPTED) mark(i, reason);
  unwatch(i, state->lua);
}

/// Nobody signals this thread for the state any more.
static void leave(jr_state *state) {
  jri_interruption *i = &state->interruption;
  jri_end_call(&state->call);
  SET(i->deadline, 0);
  SET(i->slice_began, 0);
  atomic_store(&i->running, 0);
  while (atomic_load(&i->cancellers) != 0) sched_yield();
  running_here = NULL;
  order();
}

void jri_end_interruption(jr_state *state) {
  jri_interruption *i = &state->interruption;
  leave(state);
  SET(i->current, state->lua);
  i->counting = false;
  if (GET(i->overran) != 0) SET(i->overran, 0);
  if (GET(i->asked) != 0) SET(i->asked, 0);
  if (!GET(i->disturbed)) return;
  bool cancelled = GET(i->reason) == JRI_CANCELLED_OUTSIDE;
  SET(i->reason, JRI_UNINTERRUPTED);
  SET(i->disturbed, false);
  if (cancelled) atomic_store(&i->cancelled, 0);
  lua_sethook(state->lua, NULL, 0, 0);
}

void jri_begin_closing(jr_state *state) {
  jri_interruption *i = &state->interruption;
  // Its main coroutine does nothing but close, and is gone at the end of that: no signal may touch it.
  i->closing = state->lua;
  SET(i->current, NULL);
  order();
  jri_begin_interruption(state, 0, state->loading_seconds);
}

void jri_end_closing(jr_state *state) {
  jri_interruption *i = &state->interruption;
  leave(state);
  jri_delete_timer(&i->timer);
  if (GET(i->reason) != JRI_UNINTERRUPTED) tell_late(state, "its scripts were closed");
}

// MARK: Coroutines

/// `L` is the coroutine that runs from now on.
static inline void enter(jri_interruption *i, lua_State *L) {
  order();
  SET(i->current, L != i->closing ? L : NULL);
  order();
  if (i->counting && GET(i->reason) == JRI_UNINTERRUPTED) {
    // Each change of coroutines begins to count anew: a run of nothing but changes is looked at here.
    jri_interruption_reason reason = find_reason(i);
    if (reason != JRI_UNINTERRUPTED) mark(i, reason);
  }
  if (GET(i->reason) != JRI_UNINTERRUPTED || i->counting) watch(i, L);
}

int jri_resume(lua_State *from, lua_State *thread, int arguments, int *results) {
  jri_interruption *i = &jri_state(from)->interruption;
  enter(i, thread);
  int status = lua_resume(thread, from, arguments, results);
  enter(i, from);
  // What has raised did not return.
  if (status > LUA_YIELD) jri_end_call(&jri_state(from)->call);
  // A run that was only asked where it is, and has raised before the hook came to it, was not interrupted.
  if (status > LUA_YIELD && GET(i->reason) == JRI_UNINTERRUPTED && has_hook(thread)) lua_sethook(thread, NULL, 0, 0);
  return status;
}

int jri_close_thread(lua_State *from, lua_State *thread) {
  jri_interruption *i = &jri_state(from)->interruption;
  if (lua_status(thread) > LUA_YIELD && has_hook(thread)) return LUA_OK;
  enter(i, thread);
  int status = lua_resetthread(thread);
  enter(i, from);
  return status;
}
