// One run of a job goes through phases: the body and its callbacks; when one of them raises, the errbacks; when those
// leave it open, the job's backoff function, which says when to try again; then it is finished. Each phase is one
// protected call, or, when its steps pause, several: what it has on the stack is then kept in a list. Whatever raises
// in the first, a step or the shim itself, is the error that the second works on; what raises in the second ends in
// constant bytes, for by then memory is short; what raises in the third is a warning. A run may pause after the first
// for the host's sake: then the second is another call of `jr_run`, which begins with the error as JSON.
#include <math.h>

#include "json/decode.h"
#include "runtime/collector.h"
#include "runtime/errbacks.h"
#include "runtime/errors.h"
#include "runtime/interruption.h"
#include "runtime/run.h"
#include "runtime/run_memory.h"
#include "runtime/steps.h"
#include "runtime/strands.h"
#include "runtime/tasks.h"

/// Carries out the third phase. Whatever comes of it, the run stays the failed one that it is.
static void advance_backoff(jri_run *run) {
  static const char no_memory[] = "a backoff function could not be called: not enough memory";
  jr_state *state = run->state;
  lua_State *L = state->lua;
  lua_pushcfunction(L, jri_phase_backoff);
  lua_pushlightuserdata(L, run);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    if (!state->slice.cancelled) jri_warn_of_backoff(run, no_memory, sizeof no_memory - 1);
  }
}

static jr_bytes constant(const char *text) { return (jr_bytes){.bytes = text, .length = strlen(text)}; }

/// The second phase itself did not get through. The error it died of is at the top of the stack, and is popped.
static void finish_without_memory(jri_run *run) {
  jr_result *result = run->result;
  run->keeps_stored_args = true;
  if (result->message.bytes == NULL) {
    result->message = constant(jri_memory_text_of(&run->state->memory));
    result->error = constant(jri_memory_json_of(&run->state->memory));
  }
  if (result->errback_error.bytes == NULL) result->errback_error = constant(jri_memory_json_of(&run->state->memory));
  lua_pop(run->state->lua, 1);
}

/// Ends whatever the steps still run.
static void drop_steps(lua_State *L, jri_run *run) {
  jri_end_tasks(L, run);
  jri_end_strand(L, &run->steps);
  jri_forget_kept(L, run);
}

/// Carries out one phase and decides which is next. The main stack holds the error while errbacks are next.
static void advance(jri_run *run) {
  jr_state *state = run->state;
  lua_State *L = state->lua;
  jr_result *result = run->result;
  if (run->phase == JRI_PHASE_STEPS) {
    lua_pushcfunction(L, jri_phase_steps);
    lua_pushlightuserdata(L, run);
    int status = lua_pcall(L, 1, 0, 0);
    // Whatever state the failure left it in.
    if (status != LUA_OK) drop_steps(L, run);
    if (run->suspended) return;
    if (status != LUA_OK && !state->slice.cancelled) {
      run->phase = JRI_PHASE_ERRBACKS;
      jri_renew_timeout(state);
      result->outcome = JR_RUN_FAILED;
      return;
    }
    run->phase = JRI_PHASE_FINISHED;
    if (status == LUA_OK) {
      if (result->outcome != JR_RUN_UNDEFINED) result->args = jri_buffer_bytes(&state->args);
    } else {
      // Cancelled, and the args as they then stood cannot be stored.
      result->outcome = JR_RUN_CANCELLED;
      run->keeps_stored_args = true;
      result->message = jri_describe_unprotected(state, &state->message);
    }
    return;
  }
  if (run->phase == JRI_PHASE_BACKOFF) {
    advance_backoff(run);
    run->phase = JRI_PHASE_FINISHED;
    if (state->slice.cancelled) result->outcome = JR_RUN_FAILED_CANCELLED;
    return;
  }
  result->traceback = jri_buffer_bytes(&state->traceback);
  result->step = jri_buffer_bytes(&state->step);
  int error = run->suspended ? 0 : 1;
  lua_pushcfunction(L, jri_phase_errbacks);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, run);
  lua_insert(L, 2);
  if (lua_pcall(L, 1 + error, 0, 0) != LUA_OK) finish_without_memory(run);
  if (run->suspended) return;
  run->phase = JRI_PHASE_FINISHED;
  if (result->outcome == JR_RUN_UNDEFINED || result->outcome == JR_RUN_RAISED) return;
  if (!run->keeps_stored_args) result->args = jri_buffer_bytes(&state->args);
  if (state->slice.cancelled) {
    result->outcome = JR_RUN_FAILED_CANCELLED;
  } else if (run->has_backoff && isnan(run->retry_in)) {
    run->phase = JRI_PHASE_BACKOFF;
    drop_steps(L, run);
    jri_renew_timeout(state);
  }
}

/// Finds out what the first phase of the earlier call knew.
static int check_stored(lua_State *L) {
  jri_run *run = lua_touserdata(L, JRI_AT_RUN);
  lua_settop(L, JRI_AT_ARGS - 1);
  jri_push_args(L, run);
  return 0;
}

static int decode_error(lua_State *L) {
  const jr_request *request = &((jri_run *)lua_touserdata(L, JRI_AT_RUN))->request;
  jri_json_decode(L, request->error, request->error_length, "error", NULL);
  return 1;
}

/// Begins with the second phase, where an earlier call came back with an error.
static void resume_failed(jri_run *run) {
  lua_State *L = run->state->lua;
  run->phase = JRI_PHASE_ERRBACKS;
  run->result->outcome = JR_RUN_FAILED;
  lua_pushcfunction(L, check_stored);
  lua_pushlightuserdata(L, run);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  lua_pushcfunction(L, decode_error);
  lua_pushlightuserdata(L, run);
  // Where it raises, that is the error.
  lua_pcall(L, 1, 1, 0);
}

/// Swaps what the errbacks work on between the state and the run.
static void swap_aside(jri_run *run) {
  jr_state *state = run->state;
  jri_buffer *const used[JRI_ASIDE] = {&state->error, &state->message, &state->traceback, &state->step};
  for (int i = 0; i < JRI_ASIDE; i++) {
    jri_buffer moved = *used[i];
    *used[i] = run->aside[i];
    run->aside[i] = moved;
  }
}

static void begin_slice(jri_run *run, jr_result *result) {
  jr_state *state = run->state;
  jri_begin(state);
  *result = (jr_result){.outcome = JR_RUN_UNDEFINED, .retry_in = NAN};
  run->result = result;
  state->slice = (jri_slice){.run = run, .host_run = run->request.run};
}

static void end_slice(jri_run *run) {
  jr_state *state = run->state;
  jr_result *result = run->result;
  // One that goes on is marked as suspended until its phase has begun.
  do advance(run);
  while (run->phase != JRI_PHASE_FINISHED && !run->suspended);
  if (run->suspended) {
    run->left = jri_time_left_of(state);
    run->ending = 0;
    run->woken = NULL;
    if (run->phase == JRI_PHASE_ERRBACKS) swap_aside(run);
    *result = (jr_result){.outcome = JR_RUN_SUSPENDED, .retry_in = NAN, .suspended = run};
    result->deadline = run->left.deadline;
    jri_add_suspended(run);
  } else {
    drop_steps(state->lua, run);
    if (result->outcome == JR_RUN_FAILED) result->retry_in = run->retry_in;
    if (run->keeps_stored_args) result->args = jri_stored_args(run);
  }
  jri_restore_collector(state);
  jri_end_interruption(state);
  state->slice = (jri_slice){.run = NULL};
  if (!run->suspended) jri_recycle_run(run);
  jri_end(state);
}

void jr_run(jr_state *state, const jr_request *request, jr_result *result) {
  jri_run *run = state->spare;
  state->spare = NULL;
  run->request = *request;
  begin_slice(run, result);
  jri_begin_interruption(state, request->number, request->timeout);
  if (request->error != NULL) resume_failed(run);
  end_slice(run);
}

/// `answer` is what it has waited for, if it was for that.
static void continue_run(jri_run *run, const jr_answer *answer, jr_result *result) {
  jr_state *state = run->state;
  jri_remove_suspended(run);
  begin_slice(run, result);
  state->slice.answer = answer;
  if (run->phase == JRI_PHASE_ERRBACKS) {
    swap_aside(run);
    result->outcome = JR_RUN_FAILED;
  }
  // What is at its end closes what it has open without a deadline that has passed.
  if (run->ending != 0) run->left.deadline = 0;
  jri_continue_interruption(state, run->request.number, &run->left);
  end_slice(run);
}

static jri_strand *find_waiting(jr_state *state, uint64_t token) {
  lua_State *L = state->lua;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
  lua_rawgeti(L, -1, (lua_Integer)token);
  jri_strand *strand = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return strand;
}

uint64_t jr_waiting_run(jr_state *state, uint64_t token) {
  const jri_strand *strand = find_waiting(state, token);
  return strand != NULL ? strand->run->request.number : 0;
}

bool jr_resume(jr_state *state, uint64_t token, const jr_answer *answer, jr_result *result) {
  lua_State *L = state->lua;
  jri_strand *strand = find_waiting(state, token);
  if (strand == NULL) return false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)token);
  lua_pop(L, 1);
  strand->token = 0;
  strand->run->woken = strand;
  continue_run(strand->run, answer, result);
  return true;
}

void jr_end_suspended(jr_state *state, jr_suspended *run, jr_end_reason reason, jr_result *result) {
  (void)state;
  run->ending = reason;
  continue_run(run, NULL, result);
}

size_t jr_suspended_count(const jr_state *state) { return state->suspended; }
