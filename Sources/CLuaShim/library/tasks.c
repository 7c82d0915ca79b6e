// `spawn`, `wait`, and what `after` and `every` are made of.
#include "runtime/tasks.h"
#include "library/library.h"
#include "runtime/cancelling.h"
#include "runtime/coroutines.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "runtime/run.h"
#include "runtime/strands.h"
#include "runtime/tracebacks.h"

static const char task_name[] = "task";

static jri_strand *to_task(lua_State *L, int index, const char *word) {
  void *task = lua_touserdata(L, index);
  bool good = false;
  if (task != NULL && lua_getmetatable(L, index)) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->task_metatable);
    good = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  if (!good) jri_raise(L, "%s: expected a task, as from spawn, after or every, got %s", word, luaL_typename(L, index));
  return task;
}

/// `spawn(function, ...)`: calls the function at once, up to its first pause.
static int spawn(lua_State *L, const char *word, bool daemon) {
  jr_state *state = jri_state(L);
  jri_require_running(L, word);
  if (state->slice.run == NULL || state->slice.strand == NULL || state->slice.finalizing > 0 || state->slice.closing) {
    return jri_raise(L, "%s cannot be called here", word);
  }
  if (state->slice.run->phase == JRI_PHASE_BACKOFF) return jri_raise(L, "%s: not in a backoff function", word);
  if (!lua_isfunction(L, 1)) return jri_raise(L, "%s: expected a function, got %s", word, luaL_typename(L, 1));
  int count = lua_gettop(L);
  jri_run *run = state->slice.run;
  jri_strand *task = lua_newuserdatauv(L, sizeof *task, JRI_TASK_VALUES);
  *task = (jri_strand){.run = NULL, .daemon = daemon, .reference = LUA_NOREF};
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->task_metatable);
  lua_setmetatable(L, -2);
  lua_insert(L, 1);
  lua_pushvalue(L, 1);
  task->reference = luaL_ref(L, LUA_REGISTRYINDEX);
  // From here on the run ends it, whatever happens.
  jri_add_task(run, task);
  jri_take_coroutine(L, &task->coroutine);
  if (!lua_checkstack(task->coroutine.thread, count)) return luaL_error(L, "too many arguments to %s", word);
  if (!daemon) run->tasks_alive++;
  lua_xmove(L, task->coroutine.thread, count);
  jri_run_task(L, task, count - 1);
  if (jri_interrupted(state)) return jri_stop(L);
  jri_raise_cancelled(L);
  lua_settop(L, 1);
  return 1;
}

static int spawn_task(lua_State *L) { return spawn(L, "spawn", false); }

/// As `spawn`, for what ends with the step.
static int spawn_daemon(lua_State *L) { return spawn(L, "every", true); }

/// The task is at 1. Pushes its results, or raises its error.
static int push_outcome(lua_State *L, jri_strand *task) {
  jri_see_outcome(L, task);
  if (task->state == JRI_STRAND_CANCELLED) return 0;
  lua_getiuservalue(L, 1, JRI_TASK_OUTCOME);
  if (task->state == JRI_STRAND_DONE) {
    const int list = lua_gettop(L);
    luaL_checkstack(L, task->results, "too many results");
    for (int i = 1; i <= task->results; i++) lua_rawgeti(L, list, i);
    return task->results;
  }
  jr_state *state = jri_state(L);
  lua_getiuservalue(L, 1, JRI_TASK_TRACEBACK);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  jri_buffer_reset(&state->inner_traceback);
  jri_buffer_reset(&state->inner_error);
  if (state->slice.keeps_traceback && text != NULL) jri_buffer_add(&state->inner_traceback, text, length);
  lua_pop(L, 1);
  if (state->slice.keeps_traceback) jri_keep_inner_error(L);
  return lua_error(L);
}

static int wait_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  jri_strand *task = lua_touserdata(L, 1);
  jri_raise_cancelled(L);
  return push_outcome(L, task);
}

/// `wait` for one task.
static int wait_task(lua_State *L) {
  jr_state *state = jri_state(L);
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  jri_strand *task = to_task(L, 1, "wait");
  if (jri_has_ended(task)) return push_outcome(L, task);
  jri_require_pause(L, "wait");
  if (task->run != state->slice.run) return jri_raise(L, "wait: the task is another job's");
  for (jri_strand *at = task; at != NULL; at = at->waits_for) {
    if (at == state->slice.strand) return jri_raise(L, "wait: the task would wait for itself");
  }
  jri_wait_for_task(state->slice.strand, task);
  return jri_suspend(L, wait_again);
}

/// `task:cancel()`: whether it was still alive.
static int cancel_task(lua_State *L) {
  jri_strand *task = to_task(L, 1, "cancel");
  if (jri_has_ended(task)) {
    if (task->state == JRI_STRAND_RAISED) task->awaited = true;
    lua_pushboolean(L, 0);
    return 1;
  }
  const bool runs = task->state == JRI_STRAND_RUNNING;
  jri_cancel_task(L, task);
  if (!runs) jri_raise_cancelled(L);
  lua_pushboolean(L, 1);
  return 1;
}

static int task_status(lua_State *L) {
  const jri_strand *task = to_task(L, 1, "status");
  switch (task->state) {
    case JRI_STRAND_DONE: lua_pushliteral(L, "done"); break;
    case JRI_STRAND_RAISED: lua_pushliteral(L, "failed"); break;
    case JRI_STRAND_CANCELLED: lua_pushliteral(L, "cancelled"); break;
    default: lua_pushliteral(L, "running"); break;
  }
  return 1;
}

void jri_open_tasks(lua_State *L) {
  static const luaL_Reg methods[] = {{"cancel", cancel_task}, {"status", task_status}, {NULL, NULL}};
  jr_state *state = jri_state(L);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, task_name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, task_name);
  lua_setfield(L, -2, "__metatable");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  state->task_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  state->waiting = luaL_ref(L, LUA_REGISTRYINDEX);
  // Weakly: what was part of a pause that has been given up stays so, as long as a script has it.
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  state->holding = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_register(L, "spawn", spawn_task);
  lua_register(L, "spawn_daemon", spawn_daemon);
  lua_register(L, "wait", wait_task);
}
