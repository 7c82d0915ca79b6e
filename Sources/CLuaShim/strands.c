#include "strands.h"

#include "coroutines.h"
#include "environment.h"
#include "errors.h"
#include "run.h"

// MARK: Pauses

bool jri_is_suspending(lua_State *L) { return jri_state(L)->suspending; }

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

void jri_require_pause(lua_State *L, const char *word) {
  jr_state *state = jri_state(L);
  jri_require_running(L, word);
  if (state->current == NULL || state->strand == NULL) jri_raise(L, "%s cannot be called here", word);
  if (state->finalizing > 0) jri_raise(L, "%s: a job cannot pause in a finalizer (__gc)", word);
  if (state->closing) jri_raise(L, "%s: a job cannot pause in a __close of what is being ended", word);
  if (state->current->phase == JRI_PHASE_BACKOFF) jri_raise(L, "%s: a job cannot pause in a backoff function", word);
  if (lua_isyieldable(L) && state->barrier == NULL) return;
  push_barrier(L, lua_isyieldable(L) ? state->barrier : L);
  jri_raise(L, "%s: a job cannot pause %s: do it before or after", word, lua_tostring(L, -1));
}

int jri_suspend(lua_State *L, lua_KFunction continuation) {
  jri_state(L)->suspending = true;
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

/// The one place where a strand comes back, for whatever reason.
jri_strand_end jri_run_strand(lua_State *L, jri_strand *strand, int arguments) {
  jr_state *state = jri_state(L);
  jri_run *run = strand->run;
  lua_State *thread = strand->coroutine.thread, *barrier = state->barrier;
  jri_strand *outer = state->strand;
  bool keeps_traceback = state->keeps_traceback;
  int results;

  state->strand = strand;
  state->barrier = NULL;
  state->keeps_traceback = run->phase == JRI_PHASE_STEPS;
  strand->state = JRI_STRAND_RUNNING;
  strand->coroutine.resumed = true;
  int status = jri_resume(L, thread, arguments, &results);
  strand->coroutine.resumed = false;
  state->strand = outer;
  state->barrier = barrier;
  bool suspended = state->suspending;
  state->suspending = false;

  bool interrupted = jri_interrupted(state) != JRI_UNINTERRUPTED;
  if (status == LUA_YIELD && suspended && !interrupted) {
    state->keeps_traceback = keeps_traceback;
    if (strand->state == JRI_STRAND_RUNNING) strand->state = JRI_STRAND_SUSPENDED;
    return JRI_END_SUSPENDED;
  }
  if (status == LUA_OK) {
    state->keeps_traceback = keeps_traceback;
    strand->state = JRI_STRAND_IDLE;
    if (jri_interrupted(state) == JRI_CANCELLED_OUTSIDE) state->cancelled = true;
    if (!state->cancelled) return JRI_END_DONE;
    lua_settop(thread, 0);
    return JRI_END_CANCELLED;
  }
  if (status != LUA_YIELD && jri_is_cancel(thread, -1)) state->cancelled = true;
  bool traced = state->interruption.noted || jri_interrupted(state) == JRI_CANCELLED_OUTSIDE;
  if (state->keeps_traceback && !state->cancelled && !traced) {
    jri_keep_traceback(L, thread, 0, &state->traceback);
    if (status != LUA_YIELD && lua_checkstack(L, 2) && lua_checkstack(thread, 1)) {
      lua_pushvalue(thread, -1);
      lua_xmove(thread, L, 1);
      jri_join_tracebacks(L, &state->traceback);
      lua_pop(L, 1);
    }
  }
  state->keeps_traceback = keeps_traceback;
  if (status == LUA_YIELD) push_yield_error(L, thread);
  // Runs what the step left to be closed, which may raise another error in the place of this one.
  bool closing = state->closing;
  state->closing = true;
  int closed = jri_close_thread(L, thread);
  state->closing = closing;
  strand->state = JRI_STRAND_IDLE;
  if (jri_interrupted(state)) return JRI_END_INTERRUPTED;
  if (closed != LUA_OK) lua_xmove(thread, L, 1);
  lua_settop(thread, 0);
  if (jri_is_cancel(L, -1)) state->cancelled = true;
  return state->cancelled ? JRI_END_CANCELLED : JRI_END_RAISED;
}

static void make_ready(jri_run *run, jri_strand *strand) {
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
  leave_wait(L, state->strand);
  state->strand->state = JRI_STRAND_RUNNING;
  jri_close_thread(L, thread);
  lua_error(L);
}

void jri_end_strand(lua_State *L, jri_strand *strand) {
  jr_state *state = jri_state(L);
  if (strand->run == NULL || strand->coroutine.thread == NULL || !lua_checkstack(L, 8)) return;
  leave_wait(L, strand);
  bool closing = state->closing;
  state->closing = true;
  jri_give_coroutine(L, &strand->coroutine);
  state->closing = closing;
  strand->state = JRI_STRAND_IDLE;
}

// MARK: Tasks

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

static bool has_ended(const jri_strand *task) {
  return task->state == JRI_STRAND_DONE || task->state == JRI_STRAND_RAISED || task->state == JRI_STRAND_CANCELLED;
}

static void unlink_task(jri_run *run, jri_strand *task) {
  if (task->previous != NULL) task->previous->next = task->next;
  if (task->next != NULL) task->next->previous = task->previous;
  if (run->tasks == task) run->tasks = task->next;
  task->next = task->previous = NULL;
}

/// The task is at an end, and its outcome in its user values. It stays with the run as long as nobody has seen its error.
static void settle(lua_State *L, jri_strand *task, jri_strand_state end) {
  jri_run *run = task->run;
  task->state = end;
  if (!task->daemon) run->tasks_alive--;
  if (task->waiters != NULL) task->awaited = true;
  while (task->waiters != NULL) {
    jri_strand *waiter = task->waiters;
    task->waiters = waiter->next_ready;
    make_ready(run, waiter);
  }
  if (end == JRI_STRAND_RAISED && !task->awaited) return;
  unlink_task(run, task);
  task->run = NULL;
  luaL_unref(L, LUA_REGISTRYINDEX, task->reference);
  task->reference = LUA_NOREF;
}

/// Pushes the task.
static void push_task(lua_State *L, const jri_strand *task) { lua_rawgeti(L, LUA_REGISTRYINDEX, task->reference); }

static void keep_results(lua_State *L, jri_strand *task) {
  lua_State *thread = task->coroutine.thread;
  int count = lua_gettop(thread);
  push_task(L, task);
  lua_createtable(L, count, 0);
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(thread, i);
    lua_xmove(thread, L, 1);
    lua_rawseti(L, -2, i);
  }
  lua_setiuservalue(L, -2, JRI_TASK_OUTCOME);
  lua_pop(L, 1);
  task->results = count;
  lua_settop(thread, 0);
}

/// The error is at the top.
static void keep_error(lua_State *L, jri_strand *task) {
  jri_buffer *traceback = &jri_state(L)->traceback;
  push_task(L, task);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, JRI_TASK_OUTCOME);
  lua_pushlstring(L, traceback->length > 0 ? traceback->bytes : "", traceback->length);
  lua_setiuservalue(L, -2, JRI_TASK_TRACEBACK);
  jri_buffer_reset(traceback);
  lua_pop(L, 1);
}

void jri_run_task(lua_State *L, jri_strand *task, int arguments) {
  jr_state *state = jri_state(L);
  luaL_checkstack(L, 8, NULL);
  jri_strand_end end = jri_run_strand(L, task, arguments);
  switch (end) {
    case JRI_END_SUSPENDED:
      if (!task->doomed) return;
      jri_end_strand(L, task);
      settle(L, task, JRI_STRAND_CANCELLED);
      return;
    case JRI_END_DONE:
      if (jri_interrupted(state)) break;
      keep_results(L, task);
      jri_give_coroutine(L, &task->coroutine);
      settle(L, task, JRI_STRAND_DONE);
      return;
    case JRI_END_RAISED:
      keep_error(L, task);
      jri_give_coroutine(L, &task->coroutine);
      settle(L, task, JRI_STRAND_RAISED);
      return;
    case JRI_END_CANCELLED:
    case JRI_END_INTERRUPTED:
      break;
  }
  // The whole run ends, and ends its tasks.
}

bool jri_has_tasks(const jri_run *run) { return run->tasks_alive > 0; }

bool jri_push_unseen_error(lua_State *L, jri_run *run) {
  jri_strand *first = NULL;
  // The last of the list came first.
  for (jri_strand *task = run->tasks; task != NULL; task = task->next) {
    if (task->state == JRI_STRAND_RAISED) first = task;
  }
  if (first == NULL) return false;
  push_task(L, first);
  lua_getiuservalue(L, -1, JRI_TASK_TRACEBACK);
  if (jri_state(L)->current->phase == JRI_PHASE_STEPS && lua_type(L, -1) == LUA_TSTRING) {
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    jri_buffer_reset(&jri_state(L)->traceback);
    jri_buffer_add(&jri_state(L)->traceback, text, length);
  }
  lua_pop(L, 1);
  lua_getiuservalue(L, -1, JRI_TASK_OUTCOME);
  lua_remove(L, -2);
  return true;
}

void jri_end_tasks(lua_State *L, jri_run *run) {
  if (run->tasks == NULL || !lua_checkstack(L, 8)) return;
  while (run->tasks != NULL) {
    jri_strand *task = run->tasks;
    unlink_task(run, task);
    jri_end_strand(L, task);
    if (!has_ended(task)) task->state = JRI_STRAND_CANCELLED;
    task->run = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, task->reference);
    task->reference = LUA_NOREF;
  }
  run->tasks_alive = 0;
  run->ready = run->last_ready = NULL;
}

/// `spawn(function, ...)`: calls the function at once, up to its first pause.
static int spawn(lua_State *L, const char *word, bool daemon) {
  jr_state *state = jri_state(L);
  jri_require_running(L, word);
  if (state->current == NULL || state->strand == NULL || state->finalizing > 0 || state->closing) {
    return jri_raise(L, "%s cannot be called here", word);
  }
  if (state->current->phase == JRI_PHASE_BACKOFF) return jri_raise(L, "%s: not in a backoff function", word);
  if (!lua_isfunction(L, 1)) return jri_raise(L, "%s: expected a function, got %s", word, luaL_typename(L, 1));
  int count = lua_gettop(L);
  jri_run *run = state->current;
  jri_strand *task = lua_newuserdatauv(L, sizeof *task, JRI_TASK_VALUES);
  *task = (jri_strand){.run = NULL, .daemon = daemon, .reference = LUA_NOREF};
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->task_metatable);
  lua_setmetatable(L, -2);
  lua_insert(L, 1);
  lua_pushvalue(L, 1);
  task->reference = luaL_ref(L, LUA_REGISTRYINDEX);
  // From here on the run ends it, whatever happens.
  task->run = run;
  task->next = run->tasks;
  if (run->tasks != NULL) run->tasks->previous = task;
  run->tasks = task;
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
  task->awaited = true;
  if (task->run != NULL) {
    // Only its unseen error has kept it there.
    unlink_task(task->run, task);
    task->run = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, task->reference);
    task->reference = LUA_NOREF;
  }
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
  if (state->keeps_traceback && text != NULL) jri_buffer_add(&state->inner_traceback, text, length);
  lua_pop(L, 1);
  if (state->keeps_traceback) jri_keep_inner_error(L);
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
  if (has_ended(task)) return push_outcome(L, task);
  jri_require_pause(L, "wait");
  if (task->run != state->current) return jri_raise(L, "wait: the task is another job's");
  for (jri_strand *at = task; at != NULL; at = at->waits_for) {
    if (at == state->strand) return jri_raise(L, "wait: the task would wait for itself");
  }
  state->strand->state = JRI_STRAND_WAITING;
  state->strand->waits_for = task;
  state->strand->next_ready = task->waiters;
  task->waiters = state->strand;
  return jri_suspend(L, wait_again);
}

/// `task:cancel()`: whether it was still alive.
static int cancel_task(lua_State *L) {
  jri_strand *task = to_task(L, 1, "cancel");
  if (has_ended(task)) {
    if (task->state == JRI_STRAND_RAISED) task->awaited = true;
    lua_pushboolean(L, 0);
    return 1;
  }
  if (task->state == JRI_STRAND_RUNNING) {
    task->doomed = true;
  } else {
    jri_end_strand(L, task);
    settle(L, task, JRI_STRAND_CANCELLED);
    jri_raise_cancelled(L);
  }
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
