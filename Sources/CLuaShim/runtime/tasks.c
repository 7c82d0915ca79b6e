#include "runtime/tasks.h"

#include "runtime/coroutines.h"
#include "runtime/run.h"
#include "runtime/strands.h"

bool jri_has_ended(const jri_strand *task) {
  return task->state == JRI_STRAND_DONE || task->state == JRI_STRAND_RAISED || task->state == JRI_STRAND_CANCELLED;
}

static void unlink_task(jri_run *run, jri_strand *task) {
  if (task->previous != NULL) task->previous->next = task->next;
  if (task->next != NULL) task->next->previous = task->previous;
  if (run->tasks == task) run->tasks = task->next;
  task->next = task->previous = NULL;
}

/// The run has nothing to do with the task any more.
static void forget_task(lua_State *L, jri_strand *task) {
  unlink_task(task->run, task);
  task->run = NULL;
  luaL_unref(L, LUA_REGISTRYINDEX, task->reference);
  task->reference = LUA_NOREF;
}

/// The task is at an end, and its outcome in its user values. It stays with the run as long as nobody has seen its
/// error.
static void settle(lua_State *L, jri_strand *task, jri_strand_state end) {
  jri_run *run = task->run;
  task->state = end;
  if (!task->daemon) run->tasks_alive--;
  if (task->waiters != NULL) task->awaited = true;
  while (task->waiters != NULL) {
    jri_strand *waiter = task->waiters;
    task->waiters = waiter->next_ready;
    jri_make_ready(run, waiter);
  }
  if (end == JRI_STRAND_RAISED && !task->awaited) return;
  forget_task(L, task);
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

void jri_add_task(jri_run *run, jri_strand *task) {
  task->run = run;
  task->next = run->tasks;
  if (run->tasks != NULL) run->tasks->previous = task;
  run->tasks = task;
}

void jri_wait_for_task(jri_strand *strand, jri_strand *task) {
  strand->state = JRI_STRAND_WAITING;
  strand->waits_for = task;
  strand->next_ready = task->waiters;
  task->waiters = strand;
}

void jri_see_outcome(lua_State *L, jri_strand *task) {
  task->awaited = true;
  // Only its unseen error has kept it there.
  if (task->run != NULL) forget_task(L, task);
}

void jri_cancel_task(lua_State *L, jri_strand *task) {
  if (task->state == JRI_STRAND_RUNNING) {
    task->doomed = true;
    return;
  }
  jri_end_strand(L, task);
  settle(L, task, JRI_STRAND_CANCELLED);
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
    case JRI_END_INTERRUPTED: break;
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
  if (jri_state(L)->slice.run->phase == JRI_PHASE_STEPS && lua_type(L, -1) == LUA_TSTRING) {
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
    if (!jri_has_ended(task)) task->state = JRI_STRAND_CANCELLED;
    task->run = NULL;
    luaL_unref(L, LUA_REGISTRYINDEX, task->reference);
    task->reference = LUA_NOREF;
  }
  run->tasks_alive = 0;
  run->ready = run->last_ready = NULL;
}
