// What follows a failure: the errbacks, and the backoff function.
#include "runtime/errbacks.h"

#include <math.h>

#include "json/decode.h"
#include "json/encode.h"
#include "runtime/coroutines.h"
#include "runtime/errors.h"
#include "runtime/job.h"
#include "runtime/run.h"
#include "runtime/run_memory.h"
#include "runtime/steps.h"
#include "runtime/strands.h"

/// Why an errback raised, or why what the errbacks left cannot be stored. The error value is at the top.
static void keep_errback_error(lua_State *L, const jri_run *run) {
  jri_buffer *note = &run->state->note, *json = &run->state->errback_error;
  jri_describe_error(L, -1, note, json);
  // As text even if it is a table: this is for people.
  jri_buffer_reset(json);
  jri_buffer_add_json_text(json, note->bytes, note->length);
  if (json->failed) jri_raise_memory(L);
  run->result->errback_error = jri_buffer_bytes(json);
}

/// The errbacks may have made something better of `args.error`.
static void keep_changed_error(lua_State *L, jr_state *state, int original) {
  static const jri_json_options options = {.root = "args.error", .object_without = NULL, .repairs = true};
  jri_json_failure failure;
  lua_pushliteral(L, "error");
  int type = lua_rawget(L, JRI_AT_ARGS);
  bool changed = type == LUA_TTABLE || !lua_rawequal(L, -1, original);
  if (type != LUA_TNIL && changed && jri_json_encode_collecting(L, &state->note, &options, &failure)) {
    jri_buffer unchanged = state->error;
    state->error = state->note;
    state->note = unchanged;
  }
  lua_pop(L, 1);
}

static void encode_errback_args(lua_State *L, jri_run *run) {
  static const char *const left_out[] = {"job_itself", "error", "errback_error", NULL};
  static const jri_json_options options = {.root = "args", .object_without = left_out};
  jr_state *state = run->state;
  jri_json_failure failure;
  lua_settop(L, JRI_AT_ARGS);
  if (jri_json_encode_collecting(L, &state->args, &options, &failure)) return;
  if (failure.problem == NULL) jri_raise_memory(L);
  run->keeps_stored_args = true;
  if (run->result->errback_error.bytes != NULL) return;
  lua_pushfstring(L, "%s: %s", failure.path, failure.problem);
  keep_errback_error(L, run);
}

/// Puts what the errbacks work on in its place. Returns NULL when none is to run.
static const jri_job *begin_errbacks(lua_State *L, jri_run *run) {
  jr_state *state = run->state;
  jri_describe_error(L, JRI_AT_ERROR, &state->message, &state->error);
  lua_replace(L, JRI_AT_ERROR);
  run->result->error = jri_buffer_bytes(&state->error);
  run->result->message = jri_buffer_bytes(&state->message);
  // A `__tostring` of the error may have tried to cancel; only errbacks can, from here on.
  state->slice.cancelled = false;

  const jri_job *job = jri_find_job(L, run);
  if (job == NULL) {
    // The first phase had no memory to find that out.
    *run->result = (jr_result){.outcome = JR_RUN_UNDEFINED, .retry_in = NAN};
    return NULL;
  }
  run->has_backoff = job->policy.backoff == JR_BACKOFF_FUNCTION;
  if (run->request.pauses && run->request.error == NULL && (job->errbacks > 0 || run->has_backoff)) {
    run->result->outcome = JR_RUN_RAISED;
    run->keeps_stored_args = true;
    return NULL;
  }
  if (run->args_invalid || run->request.args == NULL) {
    lua_newtable(L);
    run->keeps_stored_args = true;
  } else {
    jri_push_args(L, run);
  }
  lua_pushliteral(L, "error");
  lua_pushvalue(L, JRI_AT_ERROR);
  lua_rawset(L, JRI_AT_ARGS);
  run->position = 2 + job->callbacks;
  return job;
}

int jri_phase_errbacks(lua_State *L) {
  jri_run *run = lua_touserdata(L, JRI_AT_RUN);
  jr_state *state = run->state;
  const jri_job *job;
  if (run->suspended) {
    jri_place_kept(L, run);
    job = lua_touserdata(L, JRI_AT_RECORD);
    run->result->error = jri_buffer_bytes(&state->error);
    run->result->message = jri_buffer_bytes(&state->message);
  } else {
    job = begin_errbacks(L, run);
    if (job == NULL) return 0;
  }
  state->slice.in_errback = true;
  jri_step_end end = jri_run_steps(L, run, 2 + job->callbacks + job->errbacks);
  state->slice.in_errback = false;
  if (end == JRI_STEP_SUSPENDED) {
    jri_keep_suspended(L, run);
    run->result->outcome = JR_RUN_SUSPENDED;
    return 0;
  }
  if (end == JRI_STEP_RAISED) keep_errback_error(L, run);
  lua_settop(L, JRI_AT_ARGS);
  keep_changed_error(L, state, JRI_AT_ERROR);
  run->result->error = jri_buffer_bytes(&state->error);
  if (!run->keeps_stored_args) encode_errback_args(L, run);
  return 0;
}

void jri_warn_of_backoff(const jri_run *run, const char *reason, size_t length) {
  const jr_host *host = &run->state->host;
  if (host->log != NULL) host->log(host->context, run->request.run, JR_LOG_WARNING, reason, length);
}

int jri_phase_backoff(lua_State *L) {
  jri_run *run = lua_touserdata(L, JRI_AT_RUN);
  jr_state *state = run->state;
  lua_settop(L, JRI_AT_ERROR);
  if (jri_find_job(L, run) == NULL) return 0;
  jri_take_coroutine(L, &run->steps.coroutine);
  run->steps.run = run;
  lua_State *thread = run->steps.coroutine.thread;
  lua_getiuservalue(L, JRI_AT_RECORD, JRI_JOB_BACKOFF);
  lua_pushinteger(L, run->request.attempt);
  jri_json_decode(L, run->result->error.bytes, run->result->error.length, "error", NULL);
  lua_xmove(L, thread, 3);
  jri_step_end end;
  if (jri_interrupted(state)) {
    end = jri_interrupted_step(L, run);
  } else {
    switch (jri_run_strand(L, &run->steps, 2)) {
      case JRI_END_DONE: end = JRI_STEP_DONE; break;
      case JRI_END_CANCELLED: end = JRI_STEP_CANCELLED; break;
      case JRI_END_INTERRUPTED: end = jri_interrupted_step(L, run); break;
      case JRI_END_RAISED:
      case JRI_END_SUSPENDED: end = JRI_STEP_RAISED; break;
    }
  }
  if (end == JRI_STEP_CANCELLED) return 0;
  const char *problem = "raised an error: ";
  if (end == JRI_STEP_DONE) {
    lua_settop(thread, 1);
    if (lua_type(thread, 1) == LUA_TNUMBER && lua_tonumber(thread, 1) >= 0) {
      // Not more than `retry_in` takes, so that no sum overflows.
      run->retry_in = fmin((double)lua_tonumber(thread, 1), JRI_LONGEST_DELAY);
      return 0;
    }
    problem = "must return a number of seconds from 0 on, but returned ";
    lua_pushvalue(thread, 1);
    lua_xmove(thread, L, 1);
    if (lua_type(L, -1) != LUA_TNUMBER) lua_pushstring(L, luaL_typename(L, -1));
  }
  jri_push_text(L, -1);
  size_t length;
  lua_pushlstring(L, run->request.name, run->request.name_length);
  lua_pushfstring(L, "job '%s': the backoff function %s%s", lua_tostring(L, -1), problem, lua_tostring(L, -2));
  const char *text = lua_tolstring(L, -1, &length);
  jri_warn_of_backoff(run, text, length);
  return 0;
}
