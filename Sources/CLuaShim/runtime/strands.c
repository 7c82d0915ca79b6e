#include "runtime/strands.h"

#include "runtime/cancelling.h"
#include "runtime/coroutines.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "runtime/run.h"
#include "runtime/tracebacks.h"

// MARK: Pauses

/// A C function of Lua's through which no pause goes, by the name that scripts know.
static const char *function_name(lua_State *L, lua_Debug *frame) {
  static const char *const libraries[] = {"_G", "table", "string", "coroutine", "utf8", "os", "io", "package", NULL};
  lua_getinfo(L, "f", frame);
  const int function = lua_gettop(L);
  for (int i = 0; libraries[i] != NULL; i++) {
    if (lua_getglobal(L, libraries[i]) != LUA_TTABLE) continue;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      if (lua_rawequal(L, -1, function) && lua_type(L, -2) == LUA_TSTRING) {
        const char *prefix = i == 0 ? "" : libraries[i], *point = i == 0 ? "" : ".";
        return lua_pushfstring(L, "%s%s%s", prefix, point, lua_tostring(L, -2));
      }
      lua_pop(L, 1);
    }
  }
  return NULL;
}

/// Whether a pause goes through this C function: it has a continuation.
static bool passes_pauses(lua_State *L, lua_Debug *frame) {
  static const char *const names[] = {"pcall", "xpcall", "dofile", NULL};
  const char *name = function_name(L, frame);
  for (int i = 0; name != NULL && names[i] != NULL; i++) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

/// Pushes what keeps `L` from yielding, in words.
static void push_barrier(lua_State *to, lua_State *L) {
  lua_Debug frame;
  if (!lua_checkstack(L, 8)) {
    lua_pushliteral(to, "here");
    return;
  }
  // From 1: without the function that wants to pause, or that runs what does.
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    int top = lua_gettop(L);
    lua_getinfo(L, "Sn", &frame);
    if (frame.what[0] != 'C' || passes_pauses(L, &frame)) {
      lua_settop(L, top);
      continue;
    }
    const char *name = function_name(L, &frame);
    if (name == NULL) name = frame.name;
    if (name == NULL) {
      // One of a library that another of it calls.
      lua_settop(L, top);
      continue;
    }
    lua_pushfstring(to, "inside %s", name);
    if (L != to) {
      lua_settop(L, top);
    } else {
      lua_replace(L, top + 1);
      lua_settop(L, top + 1);
    }
    return;
  }
  lua_pushliteral(to, "inside a function that Lua's own libraries call");
}

void jri_require_running(lua_State *L, const char *word) {
  if (jri_state(L)->slice.run == NULL) luaL_error(L, "%s can only be called while a job runs", word);
}

void jri_require_pause(lua_State *L, const char *word) {
  jr_state *state = jri_state(L);
  jri_require_running(L, word);
  if (state->slice.run == NULL || state->slice.strand == NULL) jri_raise(L, "%s cannot be called here", word);
  if (state->slice.finalizing > 0) jri_raise(L, "%s: a job cannot suspend in a finalizer (__gc)", word);
  if (state->slice.closing) jri_raise(L, "%s: a job cannot suspend in a __close of a run that is being ended", word);
  if (state->slice.run->phase == JRI_PHASE_BACKOFF)
    jri_raise(L, "%s: a job cannot suspend in a backoff function", word);
  if (lua_isyieldable(L) && state->slice.barrier == NULL) return;
  push_barrier(L, lua_isyieldable(L) ? state->slice.barrier : L);
  jri_raise(L, "%s: a job cannot suspend %s: do it before or after", word, lua_tostring(L, -1));
}

int jri_suspend(lua_State *L, lua_KFunction continuation) {
  jri_state(L)->slice.suspending = true;
  return lua_yieldk(L, 0, 0, continuation);
}

static void set_held(lua_State *L, lua_State *thread, bool held) {
  if (!lua_checkstack(thread, 1)) jri_raise_memory(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->holding);
  lua_pushthread(thread);
  lua_xmove(thread, L, 1);
  if (held) {
    lua_pushboolean(L, 1);
  } else {
    lua_pushnil(L);
  }
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static int hold(lua_State *L) {
  set_held(L, lua_touserdata(L, 1), true);
  return 0;
}

void jri_release(lua_State *L, lua_State *thread) {
  set_held(L, thread, false);
  jri_state(L)->held--;
}

bool jri_is_held(lua_State *L, lua_State *thread) {
  if (jri_state(L)->held == 0) return false;
  if (!lua_checkstack(thread, 1)) jri_raise_memory(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->holding);
  lua_pushthread(thread);
  lua_xmove(thread, L, 1);
  bool held = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return held;
}

// MARK: Strands

/// Pushes why the coroutine's yield ends its step.
static void push_yield_error(lua_State *L, lua_State *thread) {
  lua_Debug caller;
  const char *file = "";
  // Level 0 is `yield` itself.
  if (lua_getstack(thread, 1, &caller)) {
    lua_getinfo(thread, "Sl", &caller);
    if (caller.currentline > 0) file = lua_pushfstring(L, "%s:%d: ", caller.short_src, caller.currentline);
  }
  lua_pushfstring(L, "%sa job cannot yield: coroutine.yield outside a coroutine of your own", file);
}

// The one place where a strand comes back, for whatever reason.
jri_strand_end jri_run_strand(lua_State *L, jri_strand *strand, int arguments) {
  jr_state *state = jri_state(L);
  jri_run *run = strand->run;
  lua_State *thread = strand->coroutine.thread, *barrier = state->slice.barrier;
  jri_strand *outer = state->slice.strand;
  bool keeps_traceback = state->slice.keeps_traceback;
  int results;

  state->slice.strand = strand;
  state->slice.barrier = NULL;
  state->slice.keeps_traceback = run->phase == JRI_PHASE_STEPS;
  strand->state = JRI_STRAND_RUNNING;
  strand->coroutine.resumed = true;
  int status = jri_resume(L, thread, arguments, &results);
  strand->coroutine.resumed = false;
  state->slice.strand = outer;
  state->slice.barrier = barrier;
  bool suspended = state->slice.suspending;
  state->slice.suspending = false;

  bool interrupted = jri_interrupted(state) != JRI_UNINTERRUPTED;
  if (status == LUA_YIELD && suspended && !interrupted) {
    state->slice.keeps_traceback = keeps_traceback;
    if (strand->state == JRI_STRAND_RUNNING) strand->state = JRI_STRAND_SUSPENDED;
    return JRI_END_SUSPENDED;
  }
  if (status == LUA_OK) {
    state->slice.keeps_traceback = keeps_traceback;
    strand->state = JRI_STRAND_IDLE;
    if (jri_interrupted(state) == JRI_CANCELLED_OUTSIDE) state->slice.cancelled = true;
    if (!state->slice.cancelled) return JRI_END_DONE;
    lua_settop(thread, 0);
    return JRI_END_CANCELLED;
  }
  if (status != LUA_YIELD && jri_is_cancel(thread, -1)) state->slice.cancelled = true;
  if (status != LUA_YIELD && !interrupted) jri_place_thread_error(L, thread);
  bool traced = state->interruption.noted || jri_interrupted(state) == JRI_CANCELLED_OUTSIDE;
  if (state->slice.keeps_traceback && !state->slice.cancelled && !traced) {
    jri_keep_traceback(L, thread, 0, &state->traceback);
    if (status != LUA_YIELD && lua_checkstack(L, 2) && lua_checkstack(thread, 1)) {
      lua_pushvalue(thread, -1);
      lua_xmove(thread, L, 1);
      jri_join_tracebacks(L, &state->traceback);
      lua_pop(L, 1);
    }
  }
  state->slice.keeps_traceback = keeps_traceback;
  if (status == LUA_YIELD) push_yield_error(L, thread);
  // Runs what the step left to be closed, which may raise another error in the place of this one.
  bool closing = state->slice.closing;
  state->slice.closing = true;
  int closed = jri_close_thread(L, thread);
  state->slice.closing = closing;
  strand->state = JRI_STRAND_IDLE;
  if (jri_interrupted(state)) return JRI_END_INTERRUPTED;
  if (closed != LUA_OK) lua_xmove(thread, L, 1);
  lua_settop(thread, 0);
  if (jri_is_cancel(L, -1)) state->slice.cancelled = true;
  return state->slice.cancelled ? JRI_END_CANCELLED : JRI_END_RAISED;
}

void jri_make_ready(jri_run *run, jri_strand *strand) {
  strand->state = JRI_STRAND_READY;
  strand->waits_for = NULL;
  strand->next_ready = NULL;
  if (run->last_ready != NULL) {
    run->last_ready->next_ready = strand;
  } else {
    run->ready = strand;
  }
  run->last_ready = strand;
}

jri_strand *jri_next_ready(jri_run *run) {
  jri_strand *strand = run->ready;
  if (strand == NULL) return NULL;
  run->ready = strand->next_ready;
  if (run->ready == NULL) run->last_ready = NULL;
  strand->next_ready = NULL;
  return strand;
}

static void forget_token(lua_State *L, jri_strand *strand) {
  jr_state *state = jri_state(L);
  if (strand->token == 0) return;
  // Sets what is there to nil, which takes no memory.
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)strand->token);
  lua_pop(L, 1);
  if (state->host.abandon != NULL) state->host.abandon(state->host.context, strand->token);
  strand->token = 0;
}

static void remove_from(jri_strand **first, jri_strand *strand) {
  for (jri_strand **at = first; *at != NULL; at = &(*at)->next_ready) {
    if (*at == strand) {
      *at = strand->next_ready;
      break;
    }
  }
  strand->next_ready = NULL;
}

static void leave_wait(lua_State *L, jri_strand *strand) {
  jri_run *run = strand->run;
  forget_token(L, strand);
  if (strand->waits_for != NULL) remove_from(&strand->waits_for->waiters, strand);
  strand->waits_for = NULL;
  if (strand->state != JRI_STRAND_READY) return;
  remove_from(&run->ready, strand);
  run->last_ready = run->ready;
  while (run->last_ready != NULL && run->last_ready->next_ready != NULL) run->last_ready = run->last_ready->next_ready;
}

void jri_hold(lua_State *L, lua_State *thread) {
  jr_state *state = jri_state(L);
  lua_pushcfunction(L, hold);
  lua_pushlightuserdata(L, thread);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) {
    state->held++;
    return;
  }
  // It must not be resumed by anybody else: there is no pause.
  leave_wait(L, state->slice.strand);
  state->slice.strand->state = JRI_STRAND_RUNNING;
  jri_close_thread(L, thread);
  lua_error(L);
}

void jri_end_strand(lua_State *L, jri_strand *strand) {
  jr_state *state = jri_state(L);
  if (strand->run == NULL || strand->coroutine.thread == NULL || !lua_checkstack(L, 8)) return;
  leave_wait(L, strand);
  bool closing = state->slice.closing;
  state->slice.closing = true;
  jri_give_coroutine(L, &strand->coroutine);
  state->slice.closing = closing;
  strand->state = JRI_STRAND_IDLE;
}
