// The functions of `coroutine` that run coroutines: Lua's own behaviour, except that no coroutine keeps a cancellation
// or an interruption from whoever resumed it, and that a job does not yield outside coroutines of its own.
#include "library/library.h"
#include "runtime/cancelling.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "runtime/run.h"
#include "runtime/strands.h"
#include "runtime/tracebacks.h"

/// The run is interrupted: closes the coroutine, which has ended for that reason or just before, and ends its resumer.
static int stop(lua_State *L, lua_State *thread) {
  // Not one that runs: that has a status as if it were good.
  if (lua_status(thread) != LUA_OK) jri_close_thread(L, thread);
  return jri_stop(L);
}

/// Resumes the coroutine with the `arguments` values that are in it. Returns how many results were pushed, or -1 with
/// the error pushed. Does not return when the run is over, nor when the coroutine wants to pause: then `again` is
/// called later.
static int resume_moved(lua_State *L, lua_State *thread, int arguments, lua_KFunction again) {
  jr_state *state = jri_state(L);
  lua_State *barrier = state->slice.barrier;
  int results;
  if (barrier == NULL && !lua_isyieldable(L)) state->slice.barrier = L;
  int status = jri_resume(L, thread, arguments, &results);
  state->slice.barrier = barrier;
  if (jri_interrupted(state)) {
    if (status == LUA_OK) lua_pop(thread, results);
    stop(L, thread);
  }
  if (status == LUA_YIELD && state->slice.suspending) {
    state->slice.suspending = false;
    jri_hold(L, thread);
    return jri_suspend(L, again);
  }
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(thread, L, 1);
    if (jri_place_error(L, thread)) {
      // For who closes it.
      lua_pushvalue(L, -1);
      lua_xmove(L, thread, 1);
    }
    jri_keep_inner_traceback(L, thread);
    if (jri_is_cancel(L, -1)) jri_raise_cancel(L);
    jri_raise_cancelled(L);
    return -1;
  }
  jri_raise_cancelled(L);
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(thread, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(thread, L, results);
  return results;
}

/// What runs and so can be neither resumed nor closed; NULL for a coroutine that does not.
static const char *active_word(lua_State *L, lua_State *thread) {
  lua_Debug frame;
  if (L == thread) return "running";
  return lua_status(thread) == LUA_OK && lua_getstack(thread, 0, &frame) ? "normal" : NULL;
}

/// Whether the coroutine is that of a step or a task which pauses, or has not begun, and goes on by the host alone.
static bool belongs_to_host(lua_State *L, lua_State *thread) {
  if (!jri_is_hosts(thread) || active_word(L, thread) != NULL) return false;
  return lua_status(thread) == LUA_YIELD || lua_gettop(thread) > 0;
}

/// Moves `arguments` values into the coroutine and resumes it.
static int resume(lua_State *L, lua_State *thread, int arguments, lua_KFunction again) {
  if (!lua_checkstack(thread, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  if (belongs_to_host(L, thread)) {
    jri_push_place(L);
    lua_pushliteral(L, "cannot resume the coroutine of a job or a task: it goes on by itself");
    lua_concat(L, 2);
    return -1;
  }
  if (jri_is_held(L, thread)) {
    lua_pushliteral(L, "cannot resume a coroutine in which a job is suspended");
    return -1;
  }
  lua_xmove(L, thread, arguments);
  return resume_moved(L, thread, arguments, again);
}

/// After a pause of the coroutine.
static int resume_again(lua_State *L, lua_State *thread, lua_KFunction again) {
  jri_release(L, thread);
  return resume_moved(L, thread, 0, again);
}

static int finish_resume(lua_State *L, int results) {
  int returned = results < 0 ? 1 : results;
  lua_pushboolean(L, results >= 0);
  lua_insert(L, -(returned + 1));
  return returned + 1;
}

static int library_resume_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return finish_resume(L, resume_again(L, lua_tothread(L, 1), library_resume_again));
}

static int library_resume(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  luaL_argexpected(L, thread != NULL, 1, "coroutine");
  return finish_resume(L, resume(L, thread, lua_gettop(L) - 1, library_resume_again));
}

/// A function that `coroutine.wrap` made. Upvalue: the coroutine. After an error nobody can reach that again, so it is
/// closed.
static int finish_wrapped(lua_State *L, lua_State *thread, int results) {
  if (results >= 0) return results;
  int status = lua_status(thread);
  if (status != LUA_OK && status != LUA_YIELD) {
    status = jri_close_thread(L, thread);
    if (jri_interrupted(jri_state(L))) return jri_stop(L);
    if (status != LUA_OK) lua_xmove(thread, L, 1);
    if (jri_is_cancel(L, -1)) return jri_raise_cancel(L);
    jri_raise_cancelled(L);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int call_wrapped_again(lua_State *L, int status, lua_KContext context) {
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  (void)status;
  (void)context;
  return finish_wrapped(L, thread, resume_again(L, thread, call_wrapped_again));
}

static int call_wrapped(lua_State *L) {
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrapped(L, thread, resume(L, thread, lua_gettop(L), call_wrapped_again));
}

static int library_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

static int library_close(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  luaL_argexpected(L, thread != NULL, 1, "coroutine");
  if (belongs_to_host(L, thread)) {
    return jri_raise(L, "cannot close the coroutine of a job or a task: use task:cancel()");
  }
  const char *active = jri_is_held(L, thread) ? "pausing" : active_word(L, thread);
  if (active != NULL) return luaL_error(L, "cannot close a %s coroutine", active);
  int status = jri_close_thread(L, thread);
  if (jri_interrupted(jri_state(L))) return jri_stop(L);
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_OK) {
    jri_raise_cancelled(L);
    return 1;
  }
  lua_xmove(thread, L, 1);
  if (jri_is_cancel(L, -1)) return jri_raise_cancel(L);
  jri_raise_cancelled(L);
  return 2;
}

/// Whether the coroutine is one of the host's, in which a step or a task runs: those pause, and nobody takes what they
/// yield.
static bool is_strand(lua_State *L, lua_State *thread) {
  const jri_strand *strand = jri_state(L)->slice.strand;
  return strand != NULL && strand->coroutine.thread == thread;
}

static int library_yield(lua_State *L) {
  if (!is_strand(L, L)) return lua_yield(L, lua_gettop(L));
  return jri_raise(L, "a job cannot yield: coroutine.yield outside a coroutine of your own");
}

static int library_is_yieldable(lua_State *L) {
  lua_State *thread = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, lua_isyieldable(thread) && !jri_is_hosts(thread));
  return 1;
}

void jri_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {{"resume", library_resume},
                                       {"wrap", library_wrap},
                                       {"close", library_close},
                                       {"yield", library_yield},
                                       {"isyieldable", library_is_yieldable},
                                       {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
