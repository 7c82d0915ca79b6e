// One run of a job goes through phases: the body and its callbacks; when one of them raises, the errbacks; when those leave
// it open, the job's backoff function, which says when to try again; then it is finished. Each phase is one protected call.
// Whatever raises in the first, a step or the shim itself, is the error that the second works on; what raises in the second
// ends in constant bytes, for by then memory is short; what raises in the third is a warning. A run may pause after the
// first: then the second is another call of `jr_run`, which begins with the error as JSON.
#include <math.h>

#include "coroutines.h"
#include "definitions.h"
#include "environment.h"
#include "errors.h"
#include "json.h"

typedef enum { PHASE_STEPS, PHASE_ERRBACKS, PHASE_BACKOFF, PHASE_FINISHED } run_phase;

typedef struct {
  jr_state *state;
  const jr_request *request;
  jr_result *result;
  run_phase phase;
  jri_coroutine coroutine;
  bool args_invalid;        // the stored args are not a JSON object
  bool job_itself_invalid;  // nor is this one
  bool keeps_stored_args;   // the result has no better ones
  bool has_backoff;         // the job has a function for it
} job_run;

typedef enum { STEP_DONE, STEP_RAISED, STEP_CANCELLED } step_end;

// Stack indexes in all phases.
enum { RUN = 1, ERROR = 2, RECORD = 3, STEPS = 4, ARGS = 5 };

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

static void push_timeout_error(lua_State *L, const job_run *run) {
  double seconds = run->request->timeout;
  jri_buffer *number = &run->state->note;
  jri_buffer_reset(number);
  if (seconds == floor(seconds) && seconds <= 1e9) {
    jri_json_add_integer(number, (lua_Integer)seconds);
  } else {
    jri_json_add_float(number, seconds);
  }
  jri_buffer_add_byte(number, 0);
  if (number->failed) jri_raise_memory(L);
  lua_pushfstring(L, "%sthe job ran longer than its timeout of %s s", run->state->interruption.place, number->bytes);
}

/// How the step ends that the run's interruption ended, or kept from beginning.
static step_end interrupted_step(lua_State *L, job_run *run) {
  if (jri_interrupted(run->state) == JRI_CANCELLED_OUTSIDE) {
    run->state->cancelled = true;
    return STEP_CANCELLED;
  }
  push_timeout_error(L, run);
  return STEP_RAISED;
}

/// Calls the function that has been moved into the run's coroutine with its arguments. The one place where that comes back,
/// for whatever reason. Its results are in it when it is done; the error is pushed when it raised.
static step_end resume_step(lua_State *L, job_run *run, int arguments) {
  jr_state *state = run->state;
  lua_State *thread = run->coroutine.thread;
  int results;
  state->keeps_traceback = run->phase == PHASE_STEPS;
  run->coroutine.resumed = true;
  int status = jri_resume(L, thread, arguments, &results);
  run->coroutine.resumed = false;
  state->keeps_traceback = false;
  if (status == LUA_OK) {
    if (jri_interrupted(state) == JRI_CANCELLED_OUTSIDE) state->cancelled = true;
    return state->cancelled ? STEP_CANCELLED : STEP_DONE;
  }
  if (status != LUA_YIELD && jri_is_cancel(thread, -1)) state->cancelled = true;
  bool traced = state->interruption.noted || jri_interrupted(state) == JRI_CANCELLED_OUTSIDE;
  if (run->phase == PHASE_STEPS && !state->cancelled && !traced) jri_keep_traceback(L, thread, 0, &state->traceback);
  if (status == LUA_YIELD) push_yield_error(L, thread);
  // Runs what the step left to be closed, which may raise another error in the place of this one.
  int closed = jri_close_thread(L, thread);
  if (jri_interrupted(state)) return interrupted_step(L, run);
  if (closed != LUA_OK) lua_xmove(thread, L, 1);
  lua_settop(thread, 0);
  if (jri_is_cancel(L, -1)) state->cancelled = true;
  return state->cancelled ? STEP_CANCELLED : STEP_RAISED;
}

/// Runs steps from `first` as long as they are good.
static step_end run_steps(lua_State *L, job_run *run, int first, int count) {
  lua_State *thread = run->coroutine.thread;
  for (int position = first; position < first + count; position++) {
    if (jri_interrupted(run->state)) return interrupted_step(L, run);
    lua_rawgeti(L, STEPS, position);
    lua_pushvalue(L, ARGS);
    lua_xmove(L, thread, 2);
    step_end end = resume_step(L, run, 1);
    if (end != STEP_DONE) return end;
    lua_settop(thread, 0);
  }
  return STEP_DONE;
}

/// Puts the record of the job and its steps in their places; NULL when the job is undefined.
static const jri_job *find_job(lua_State *L, const job_run *run) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->state->jobs);
  lua_pushlstring(L, run->request->name, run->request->name_length);
  int type = lua_rawget(L, RECORD);
  lua_replace(L, RECORD);
  if (type != LUA_TUSERDATA) return NULL;
  lua_getiuservalue(L, RECORD, JRI_JOB_STEPS);
  return lua_touserdata(L, RECORD);
}

/// Pushes the stored args, to their place, with `job_itself` if the request has it.
static void push_args(lua_State *L, job_run *run) {
  const jr_request *request = run->request;
  jri_json_decode_object(L, request->args, request->args_length, "args", &run->args_invalid);
  if (request->job_itself == NULL || run->job_itself_invalid) return;
  lua_pushliteral(L, "job_itself");
  jri_json_decode_object(L, request->job_itself, request->job_itself_length, "args.job_itself",
                         &run->job_itself_invalid);
  lua_rawset(L, ARGS);
}

/// The first phase: the body, then the callbacks.
static int run_job(lua_State *L) {
  static const char *const left_out[] = {"job_itself", NULL};
  static const jri_json_options options = {.root = "args", .object_without = left_out};
  job_run *run = lua_touserdata(L, RUN);
  lua_settop(L, ERROR);
  const jri_job *job = find_job(L, run);
  if (job == NULL) {
    run->result->outcome = JR_RUN_UNDEFINED;
    return 0;
  }
  push_args(L, run);
  jri_take_coroutine(L, &run->coroutine);
  step_end end = run_steps(L, run, 1, 1 + job->callbacks);
  if (end == STEP_RAISED) return lua_error(L);
  run->result->outcome = end == STEP_CANCELLED ? JR_RUN_CANCELLED : JR_RUN_SUCCEEDED;
  lua_settop(L, ARGS);
  jri_json_encode_or_raise(L, &run->state->args, &options);
  return 0;
}

/// Why an errback raised, or why what the errbacks left cannot be stored. The error value is at the top.
static void keep_errback_error(lua_State *L, const job_run *run) {
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
  static const jri_json_options options = {.root = "args.error", .object_without = NULL};
  jri_json_failure failure;
  lua_pushliteral(L, "error");
  int type = lua_rawget(L, ARGS);
  bool changed = type == LUA_TTABLE || !lua_rawequal(L, -1, original);
  if (type != LUA_TNIL && changed && jri_json_encode_collecting(L, &state->note, &options, &failure)) {
    jri_buffer unchanged = state->error;
    state->error = state->note;
    state->note = unchanged;
  }
  lua_pop(L, 1);
}

static void encode_errback_args(lua_State *L, job_run *run) {
  static const char *const left_out[] = {"job_itself", "error", "errback_error", NULL};
  static const jri_json_options options = {.root = "args", .object_without = left_out};
  jr_state *state = run->state;
  jri_json_failure failure;
  lua_settop(L, ARGS);
  if (jri_json_encode_collecting(L, &state->args, &options, &failure)) return;
  if (failure.problem == NULL) jri_raise_memory(L);
  run->keeps_stored_args = true;
  if (run->result->errback_error.bytes != NULL) return;
  lua_pushfstring(L, "%s: %s", failure.path, failure.problem);
  keep_errback_error(L, run);
}

/// The second phase: the errbacks. The error is at its place.
static int run_errbacks(lua_State *L) {
  job_run *run = lua_touserdata(L, RUN);
  jr_state *state = run->state;
  jri_describe_error(L, ERROR, &state->message, &state->error);
  lua_replace(L, ERROR);
  run->result->error = jri_buffer_bytes(&state->error);
  run->result->message = jri_buffer_bytes(&state->message);
  // A `__tostring` of the error may have tried to cancel; only errbacks can, from here on.
  state->cancelled = false;

  const jri_job *job = find_job(L, run);
  if (job == NULL) {
    // The first phase had no memory to find that out.
    *run->result = (jr_result){.outcome = JR_RUN_UNDEFINED, .retry_in = NAN};
    return 0;
  }
  run->has_backoff = job->policy.backoff == JR_BACKOFF_FUNCTION;
  if (run->request->pauses && run->request->error == NULL && (job->errbacks > 0 || run->has_backoff)) {
    run->result->outcome = JR_RUN_RAISED;
    run->keeps_stored_args = true;
    return 0;
  }
  if (run->args_invalid) {
    lua_newtable(L);
    run->keeps_stored_args = true;
  } else {
    push_args(L, run);
  }
  lua_pushliteral(L, "error");
  lua_pushvalue(L, ERROR);
  lua_rawset(L, ARGS);
  jri_take_coroutine(L, &run->coroutine);
  state->in_errback = true;
  step_end end = run_steps(L, run, 2 + job->callbacks, job->errbacks);
  state->in_errback = false;
  if (end == STEP_RAISED) keep_errback_error(L, run);
  lua_settop(L, ARGS);
  keep_changed_error(L, state, ERROR);
  run->result->error = jri_buffer_bytes(&state->error);
  if (!run->keeps_stored_args) encode_errback_args(L, run);
  return 0;
}

static void warn_of_backoff(const job_run *run, const char *reason, size_t length) {
  const jr_host *host = &run->state->host;
  if (host->log != NULL) host->log(host->context, run->request->run, JR_LOG_WARNING, reason, length);
}

/// The third phase: the backoff function, of the attempt and of the error as the errbacks left it.
static int run_backoff(lua_State *L) {
  job_run *run = lua_touserdata(L, RUN);
  jr_state *state = run->state;
  lua_settop(L, ERROR);
  if (find_job(L, run) == NULL) return 0;
  jri_take_coroutine(L, &run->coroutine);
  lua_State *thread = run->coroutine.thread;
  lua_getiuservalue(L, RECORD, JRI_JOB_BACKOFF);
  lua_pushinteger(L, run->request->attempt);
  jri_json_decode(L, run->result->error.bytes, run->result->error.length, "error", NULL);
  lua_xmove(L, thread, 3);
  step_end end = jri_interrupted(state) ? interrupted_step(L, run) : resume_step(L, run, 2);
  if (end == STEP_CANCELLED) return 0;
  const char *problem = "raised an error: ";
  if (end == STEP_DONE) {
    lua_settop(thread, 1);
    if (lua_type(thread, 1) == LUA_TNUMBER && lua_tonumber(thread, 1) >= 0) {
      // Not more than `retry_in` takes, so that no sum overflows.
      state->retry_in = fmin((double)lua_tonumber(thread, 1), JRI_LONGEST_DELAY);
      return 0;
    }
    problem = "must return a number of seconds from 0 on, but returned ";
    lua_pushvalue(thread, 1);
    lua_xmove(thread, L, 1);
    if (lua_type(L, -1) != LUA_TNUMBER) lua_pushstring(L, luaL_typename(L, -1));
  }
  jri_push_text(L, -1);
  size_t length;
  lua_pushlstring(L, run->request->name, run->request->name_length);
  lua_pushfstring(L, "job '%s': the backoff function %s%s", lua_tostring(L, -1), problem, lua_tostring(L, -2));
  const char *text = lua_tolstring(L, -1, &length);
  warn_of_backoff(run, text, length);
  return 0;
}

/// Carries out the third phase. Whatever comes of it, the run stays the failed one that it is.
static void advance_backoff(job_run *run) {
  static const char no_memory[] = "a backoff function could not be called: not enough memory";
  jr_state *state = run->state;
  lua_State *L = state->lua;
  lua_pushcfunction(L, run_backoff);
  lua_pushlightuserdata(L, run);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    lua_pop(L, 1);
    if (!state->cancelled) warn_of_backoff(run, no_memory, sizeof no_memory - 1);
  }
}

/// The stored args as they came. They are copied past the memory limit: a job must not lose its args to it.
static jr_bytes stored_args(const job_run *run) {
  jr_state *state = run->state;
  const jr_request *request = run->request;
  size_t limit = state->memory_limit;
  state->memory_limit = 0;
  jri_buffer_reset(&state->args);
  jri_buffer_add(&state->args, request->args, request->args_length);
  state->memory_limit = limit;
  if (!state->args.failed) return jri_buffer_bytes(&state->args);
  return (jr_bytes){.bytes = request->args, .length = request->args_length};
}

static jr_bytes constant(const char *text) { return (jr_bytes){.bytes = text, .length = strlen(text)}; }

/// The second phase itself did not get through. The error it died of is at the top of the stack, and is popped.
static void finish_without_memory(job_run *run) {
  jr_result *result = run->result;
  run->keeps_stored_args = true;
  if (result->message.bytes == NULL) {
    result->message = constant(jri_memory_text);
    result->error = constant(jri_memory_json);
  }
  if (result->errback_error.bytes == NULL) result->errback_error = constant(jri_memory_json);
  lua_pop(run->state->lua, 1);
}

/// Carries out one phase and decides which is next. The main stack holds the error while errbacks are next.
static void advance(job_run *run) {
  jr_state *state = run->state;
  lua_State *L = state->lua;
  jr_result *result = run->result;
  if (run->phase == PHASE_STEPS) {
    lua_pushcfunction(L, run_job);
    lua_pushlightuserdata(L, run);
    int status = lua_pcall(L, 1, 0, 0);
    // Whatever state the failure left it in.
    if (status != LUA_OK) jri_give_coroutine(L, &run->coroutine);
    if (status != LUA_OK && !state->cancelled) {
      run->phase = PHASE_ERRBACKS;
      jri_renew_timeout(state);
      result->outcome = JR_RUN_FAILED;
      return;
    }
    run->phase = PHASE_FINISHED;
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
  if (run->phase == PHASE_BACKOFF) {
    advance_backoff(run);
    run->phase = PHASE_FINISHED;
    if (state->cancelled) result->outcome = JR_RUN_FAILED_CANCELLED;
    return;
  }
  result->traceback = jri_buffer_bytes(&state->traceback);
  lua_pushcfunction(L, run_errbacks);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, run);
  lua_insert(L, 2);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) finish_without_memory(run);
  run->phase = PHASE_FINISHED;
  if (result->outcome == JR_RUN_UNDEFINED || result->outcome == JR_RUN_RAISED) return;
  if (!run->keeps_stored_args) result->args = jri_buffer_bytes(&state->args);
  if (state->cancelled) {
    result->outcome = JR_RUN_FAILED_CANCELLED;
  } else if (run->has_backoff && isnan(state->retry_in)) {
    run->phase = PHASE_BACKOFF;
    jri_give_coroutine(L, &run->coroutine);
    jri_renew_timeout(state);
  }
}

/// Finds out what the first phase of the earlier call knew.
static int check_stored(lua_State *L) {
  job_run *run = lua_touserdata(L, RUN);
  lua_settop(L, ARGS - 1);
  push_args(L, run);
  return 0;
}

static int decode_error(lua_State *L) {
  const jr_request *request = ((job_run *)lua_touserdata(L, RUN))->request;
  jri_json_decode(L, request->error, request->error_length, "error", NULL);
  return 1;
}

/// Begins with the second phase, where an earlier call came back with an error.
static void resume_failed(job_run *run) {
  lua_State *L = run->state->lua;
  run->phase = PHASE_ERRBACKS;
  run->result->outcome = JR_RUN_FAILED;
  lua_pushcfunction(L, check_stored);
  lua_pushlightuserdata(L, run);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  lua_pushcfunction(L, decode_error);
  lua_pushlightuserdata(L, run);
  // Where it raises, that is the error.
  lua_pcall(L, 1, 1, 0);
}

void jr_run(jr_state *state, const jr_request *request, jr_result *result) {
  job_run run = {.state = state, .request = request, .result = result, .phase = PHASE_STEPS};
  jri_begin(state);
  *result = (jr_result){.outcome = JR_RUN_UNDEFINED, .retry_in = NAN};
  state->run = request->run;
  state->running = true;
  state->cancelled = false;
  state->in_errback = false;
  state->keeps_traceback = false;
  state->retry_in = NAN;
  jri_begin_interruption(state, request);
  if (request->error != NULL) resume_failed(&run);
  while (run.phase != PHASE_FINISHED) advance(&run);
  jri_give_coroutine(state->lua, &run.coroutine);
  jri_end_interruption(state);
  if (result->outcome == JR_RUN_FAILED) result->retry_in = state->retry_in;
  if (run.keeps_stored_args) result->args = stored_args(&run);
  state->running = false;
  state->cancelled = false;
  state->run = NULL;
  jri_end(state);
}
