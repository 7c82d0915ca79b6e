// One run of a job goes through phases: the body and its callbacks; when one of them raises, the errbacks; when those leave
// it open, the job's backoff function, which says when to try again; then it is finished. Each phase is one protected call,
// or, when its steps pause, several: what it has on the stack is then kept in a list. Whatever raises in the first, a step or
// the shim itself, is the error that the second works on; what raises in the second ends in constant bytes, for by then
// memory is short; what raises in the third is a warning. A run may pause after the first for the host's sake: then the
// second is another call of `jr_run`, which begins with the error as JSON.
#include "run.h"

#include <math.h>

#include "coroutines.h"
#include "definitions.h"
#include "environment.h"
#include "errors.h"
#include "json.h"

typedef enum { STEP_DONE, STEP_RAISED, STEP_CANCELLED, STEP_SUSPENDED } step_end;

// Stack indexes in all phases.
enum { RUN = 1, ERROR = 2, RECORD = 3, STEPS = 4, ARGS = 5 };

static void start_anew(jr_state *state, jri_run *run) { 
  *run = (jri_run){.state = state, .kept_error = LUA_NOREF, .kept_record = LUA_NOREF, .kept_args = LUA_NOREF};
}

static void free_aside(jr_state *state, jri_run *run) {
  if (run->aside == NULL) return;
  for (int i = 0; i < JRI_ASIDE; i++) jri_buffer_free(&run->aside[i]);
  jri_reallocate(state, run->aside, JRI_ASIDE * sizeof *run->aside, 0);
}

jri_run *jri_make_run(jr_state *state) {
  jri_run *run = jri_reallocate(state, NULL, 0, sizeof *run);
  if (run == NULL) return NULL;
  start_anew(state, run);
  return run;
}

void jri_free_run(jr_state *state, jri_run *run) {
  if (run == NULL) return;
  free_aside(state, run);
  if (run->kept != NULL) jri_reallocate(state, run->kept, run->kept_size, 0);
  jri_reallocate(state, run, sizeof *run, 0);
}

static void push_seconds(lua_State *L, jri_buffer *number, double seconds) {
  jri_buffer_reset(number);
  if (seconds == floor(seconds) && seconds <= 1e9) {
    jri_json_add_integer(number, (lua_Integer)seconds);
  } else {
    jri_json_add_float(number, seconds);
  }
  if (number->failed) jri_raise_memory(L);
  lua_pushlstring(L, number->bytes, number->length);
}

static void push_timeout_error(lua_State *L, const jri_run *run) {
  push_seconds(L, &run->state->note, run->request.timeout);
  lua_pushfstring(L, "%sthe job ran longer than its timeout of %s s", run->state->interruption.place,
                  lua_tostring(L, -1));
}

static void push_overrun_error(lua_State *L, const jri_run *run) {
  lua_pushfstring(L,
                  "%sthe job ran too long without a pause and held up the others of its lane: let it pause (sleep(0)), "
                  "enqueue it with defer, or raise --slice-limit",
                  run->state->interruption.place);
}

/// How the step ends that the run's interruption ended, or kept from beginning.
static step_end interrupted_step(lua_State *L, jri_run *run) {
  switch (jri_interrupted(run->state)) {
    case JRI_CANCELLED_OUTSIDE: run->state->cancelled = true; return STEP_CANCELLED;
    case JRI_OVERRAN: push_overrun_error(L, run); return STEP_RAISED;
    case JRI_TIMED_OUT:
    case JRI_UNINTERRUPTED: break;
  }
  push_timeout_error(L, run);
  return STEP_RAISED;
}

/// Ends what still runs of the step.
static step_end give_up(lua_State *L, jri_run *run, step_end end) {
  jri_end_tasks(L, run);
  jri_end_strand(L, &run->steps);
  return end;
}

/// Runs the strand, then those that are ready, until none is or the step has ended.
static step_end drive(lua_State *L, jri_run *run, jri_strand *strand, int arguments) {
  jr_state *state = run->state;
  while (strand != NULL) {
    if (strand == &run->steps) {
      switch (jri_run_strand(L, strand, arguments)) {
        case JRI_END_DONE: lua_settop(strand->coroutine.thread, 0); break;
        case JRI_END_SUSPENDED: break;
        case JRI_END_RAISED: jri_end_tasks(L, run); return STEP_RAISED;
        case JRI_END_CANCELLED: jri_end_tasks(L, run); return STEP_CANCELLED;
        case JRI_END_INTERRUPTED: jri_end_tasks(L, run); return interrupted_step(L, run);
      }
    } else {
      jri_run_task(L, strand, arguments);
      if (state->cancelled) return give_up(L, run, STEP_CANCELLED);
    }
    if (jri_interrupted(state)) {
      jri_end_tasks(L, run);
      jri_end_strand(L, &run->steps);
      return interrupted_step(L, run);
    }
    arguments = 0;
    strand = jri_next_ready(run);
  }
  if (run->steps.state != JRI_STRAND_IDLE || jri_has_tasks(run)) return STEP_SUSPENDED;
  bool raised = jri_push_unseen_error(L, run);
  jri_end_tasks(L, run);
  return raised ? STEP_RAISED : state->cancelled ? STEP_CANCELLED : STEP_DONE;
}

/// Where the run was suspended, it is at an end now.
static step_end end_suspended(lua_State *L, jri_run *run) {
  jr_state *state = run->state;
  if (run->ending == JR_END_CANCELLED) {
    state->cancelled = true;
    return give_up(L, run, STEP_CANCELLED);
  }
  lua_State *thread = run->steps.coroutine.thread;
  // The steps' function may have returned before what it has spawned.
  for (jri_strand *task = run->tasks; task != NULL && run->steps.state == JRI_STRAND_IDLE; task = task->next) {
    if (task->coroutine.thread != NULL) thread = task->coroutine.thread;
  }
  if (thread != NULL) {
    jri_note_place(state, thread);
    if (run->phase == JRI_PHASE_STEPS) jri_keep_traceback(L, thread, 0, &state->traceback);
  }
  push_timeout_error(L, run);
  give_up(L, run, STEP_RAISED);
  return state->cancelled ? STEP_CANCELLED : STEP_RAISED;
}

/// Runs steps from the run's position as long as they are good; `end` is where the last is.
static step_end run_steps(lua_State *L, jri_run *run, int end) {
  jr_state *state = run->state;
  step_end came = STEP_DONE;
  if (run->suspended) {
    run->suspended = false;
    came = run->ending != 0 ? end_suspended(L, run) : drive(L, run, run->woken, 0);
    state->answer = NULL;
    if (came != STEP_DONE) return came;
    run->position++;
  }
  for (; run->position < end; run->position++) {
    if (jri_interrupted(state)) return interrupted_step(L, run);
    if (run->steps.coroutine.thread == NULL) jri_take_coroutine(L, &run->steps.coroutine);
    lua_State *thread = run->steps.coroutine.thread;
    lua_rawgeti(L, STEPS, run->position);
    lua_pushvalue(L, ARGS);
    lua_xmove(L, thread, 2);
    run->steps.run = run;
    came = drive(L, run, &run->steps, 1);
    if (came != STEP_DONE) return came;
  }
  return STEP_DONE;
}

/// Keeps the request's bytes that are still needed. A host that takes pauses has the args itself.
static void keep_request(lua_State *L, jri_run *run) {
  jr_request *request = &run->request;
  bool whole = !request->pauses;
  size_t args = whole ? request->args_length : 0;
  size_t itself = whole && request->job_itself != NULL ? request->job_itself_length : 0;
  run->kept_size = request->name_length + args + itself;
  run->kept = jri_reallocate(run->state, NULL, 0, run->kept_size);
  if (run->kept == NULL) jri_raise_memory(L);
  char *at = run->kept;
  memcpy(at, request->name, request->name_length);
  request->name = at;
  at += request->name_length;
  if (args > 0) memcpy(at, request->args, args);
  request->args = whole ? at : NULL;
  request->args_length = args;
  at += args;
  if (itself > 0) memcpy(at, request->job_itself, itself);
  request->job_itself = itself > 0 ? at : NULL;
  // That it was there still matters.
  if (request->error != NULL) request->error = "";
}

static void keep_value(lua_State *L, int index, int *reference) {
  if (*reference != LUA_NOREF) return;
  lua_pushvalue(L, index);
  *reference = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void forget_value(lua_State *L, int *reference) {
  luaL_unref(L, LUA_REGISTRYINDEX, *reference);
  *reference = LUA_NOREF;
}

/// Keeps what the phase has on its stack, and the request's bytes. May raise "not enough memory".
static void keep_suspended(lua_State *L, jri_run *run) {
  jr_state *state = run->state;
  if (state->spare == NULL) state->spare = jri_make_run(state);
  if (state->spare == NULL) jri_raise_memory(L);
  keep_value(L, ERROR, &run->kept_error);
  keep_value(L, RECORD, &run->kept_record);
  keep_value(L, ARGS, &run->kept_args);
  if (run->kept == NULL) keep_request(L, run);
  if (run->phase == JRI_PHASE_ERRBACKS && run->aside == NULL) {
    run->aside = jri_reallocate(state, NULL, 0, JRI_ASIDE * sizeof *run->aside);
    if (run->aside == NULL) jri_raise_memory(L);
    for (int i = 0; i < JRI_ASIDE; i++) run->aside[i] = (jri_buffer){.state = state};
  }
  run->suspended = true;
}

/// Puts the values of the phase in their places; the run is at its own.
static void place_kept(lua_State *L, jri_run *run) {
  lua_settop(L, RUN);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_error);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_record);
  lua_getiuservalue(L, RECORD, JRI_JOB_STEPS);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_args);
}

/// Says which step it is that raised.
static void note_step(lua_State *L, jri_run *run) {
  jri_buffer *step = &run->state->step;
  jri_buffer_reset(step);
  lua_rawgeti(L, STEPS, -run->position);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  if (text != NULL) jri_buffer_add_text(step, text, length);
  if (step->failed) jri_buffer_reset(step);
  run->result->step = jri_buffer_bytes(step);
  lua_pop(L, 1);
}

/// Puts the record of the job and its steps in their places; NULL when the job is undefined.
static const jri_job *find_job(lua_State *L, const jri_run *run) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->state->jobs);
  lua_pushlstring(L, run->request.name, run->request.name_length);
  int type = lua_rawget(L, RECORD);
  lua_replace(L, RECORD);
  if (type != LUA_TUSERDATA) return NULL;
  lua_getiuservalue(L, RECORD, JRI_JOB_STEPS);
  return lua_touserdata(L, RECORD);
}

/// Pushes the stored args, to their place, with `job_itself` if the request has it.
static void push_args(lua_State *L, jri_run *run) {
  const jr_request *request = &run->request;
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
  jri_run *run = lua_touserdata(L, RUN);
  const jri_job *job;
  if (run->suspended) {
    place_kept(L, run);
    job = lua_touserdata(L, RECORD);
  } else {
    lua_settop(L, ERROR);
    job = find_job(L, run);
    if (job == NULL) {
      run->result->outcome = JR_RUN_UNDEFINED;
      return 0;
    }
    push_args(L, run);
    run->position = 1;
  }
  step_end end = run_steps(L, run, 2 + job->callbacks);
  if (end == STEP_RAISED) {
    note_step(L, run);
    return lua_error(L);
  }
  if (end == STEP_SUSPENDED) {
    keep_suspended(L, run);
    run->result->outcome = JR_RUN_SUSPENDED;
    return 0;
  }
  run->result->outcome = end == STEP_CANCELLED ? JR_RUN_CANCELLED : JR_RUN_SUCCEEDED;
  lua_settop(L, ARGS);
  jri_json_encode_or_raise(L, &run->state->args, &options);
  return 0;
}

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

static void encode_errback_args(lua_State *L, jri_run *run) {
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

/// Puts what the errbacks work on in its place. Returns NULL when none is to run.
static const jri_job *begin_errbacks(lua_State *L, jri_run *run) {
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
    push_args(L, run);
  }
  lua_pushliteral(L, "error");
  lua_pushvalue(L, ERROR);
  lua_rawset(L, ARGS);
  run->position = 2 + job->callbacks;
  return job;
}

/// The second phase: the errbacks. The error is at its place.
static int run_errbacks(lua_State *L) {
  jri_run *run = lua_touserdata(L, RUN);
  jr_state *state = run->state;
  const jri_job *job;
  if (run->suspended) {
    place_kept(L, run);
    job = lua_touserdata(L, RECORD);
    run->result->error = jri_buffer_bytes(&state->error);
    run->result->message = jri_buffer_bytes(&state->message);
  } else {
    job = begin_errbacks(L, run);
    if (job == NULL) return 0;
  }
  state->in_errback = true;
  step_end end = run_steps(L, run, 2 + job->callbacks + job->errbacks);
  state->in_errback = false;
  if (end == STEP_SUSPENDED) {
    keep_suspended(L, run);
    run->result->outcome = JR_RUN_SUSPENDED;
    return 0;
  }
  if (end == STEP_RAISED) keep_errback_error(L, run);
  lua_settop(L, ARGS);
  keep_changed_error(L, state, ERROR);
  run->result->error = jri_buffer_bytes(&state->error);
  if (!run->keeps_stored_args) encode_errback_args(L, run);
  return 0;
}

static void warn_of_backoff(const jri_run *run, const char *reason, size_t length) {
  const jr_host *host = &run->state->host;
  if (host->log != NULL) host->log(host->context, run->request.run, JR_LOG_WARNING, reason, length);
}

/// The third phase: the backoff function, of the attempt and of the error as the errbacks left it.
static int run_backoff(lua_State *L) {
  jri_run *run = lua_touserdata(L, RUN);
  jr_state *state = run->state;
  lua_settop(L, ERROR);
  if (find_job(L, run) == NULL) return 0;
  jri_take_coroutine(L, &run->steps.coroutine);
  run->steps.run = run;
  lua_State *thread = run->steps.coroutine.thread;
  lua_getiuservalue(L, RECORD, JRI_JOB_BACKOFF);
  lua_pushinteger(L, run->request.attempt);
  jri_json_decode(L, run->result->error.bytes, run->result->error.length, "error", NULL);
  lua_xmove(L, thread, 3);
  step_end end;
  if (jri_interrupted(state)) {
    end = interrupted_step(L, run);
  } else {
    switch (jri_run_strand(L, &run->steps, 2)) {
      case JRI_END_DONE: end = STEP_DONE; break;
      case JRI_END_CANCELLED: end = STEP_CANCELLED; break;
      case JRI_END_INTERRUPTED: end = interrupted_step(L, run); break;
      case JRI_END_RAISED:
      case JRI_END_SUSPENDED: end = STEP_RAISED; break;
    }
  }
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
  lua_pushlstring(L, run->request.name, run->request.name_length);
  lua_pushfstring(L, "job '%s': the backoff function %s%s", lua_tostring(L, -1), problem, lua_tostring(L, -2));
  const char *text = lua_tolstring(L, -1, &length);
  warn_of_backoff(run, text, length);
  return 0;
}

/// Carries out the third phase. Whatever comes of it, the run stays the failed one that it is.
static void advance_backoff(jri_run *run) {
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
static jr_bytes stored_args(const jri_run *run) {
  jr_state *state = run->state;
  const jr_request *request = &run->request;
  if (request->args == NULL) return (jr_bytes){NULL, 0};
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
static void finish_without_memory(jri_run *run) {
  jr_result *result = run->result;
  run->keeps_stored_args = true;
  if (result->message.bytes == NULL) {
    result->message = constant(jri_memory_text);
    result->error = constant(jri_memory_json);
  }
  if (result->errback_error.bytes == NULL) result->errback_error = constant(jri_memory_json);
  lua_pop(run->state->lua, 1);
}

/// Ends whatever the steps still run.
static void drop_steps(lua_State *L, jri_run *run) {
  jri_end_tasks(L, run);
  jri_end_strand(L, &run->steps);
  forget_value(L, &run->kept_error);
  forget_value(L, &run->kept_record);
  forget_value(L, &run->kept_args);
}

/// The run is over: its memory is for another.
static void recycle(jri_run *run) {
  jr_state *state = run->state;
  free_aside(state, run);
  if (run->kept != NULL) jri_reallocate(state, run->kept, run->kept_size, 0);
  if (state->spare != NULL) {
    jri_reallocate(state, run, sizeof *run, 0);
  } else {
    start_anew(state, run);
    state->spare = run;
  }
}

/// Carries out one phase and decides which is next. The main stack holds the error while errbacks are next.
static void advance(jri_run *run) {
  jr_state *state = run->state;
  lua_State *L = state->lua;
  jr_result *result = run->result;
  if (run->phase == JRI_PHASE_STEPS) {
    lua_pushcfunction(L, run_job);
    lua_pushlightuserdata(L, run);
    int status = lua_pcall(L, 1, 0, 0);
    // Whatever state the failure left it in.
    if (status != LUA_OK) drop_steps(L, run);
    if (run->suspended) return;
    if (status != LUA_OK && !state->cancelled) {
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
    if (state->cancelled) result->outcome = JR_RUN_FAILED_CANCELLED;
    return;
  }
  result->traceback = jri_buffer_bytes(&state->traceback);
  result->step = jri_buffer_bytes(&state->step);
  int error = run->suspended ? 0 : 1;
  lua_pushcfunction(L, run_errbacks);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, run);
  lua_insert(L, 2);
  if (lua_pcall(L, 1 + error, 0, 0) != LUA_OK) finish_without_memory(run);
  if (run->suspended) return;
  run->phase = JRI_PHASE_FINISHED;
  if (result->outcome == JR_RUN_UNDEFINED || result->outcome == JR_RUN_RAISED) return;
  if (!run->keeps_stored_args) result->args = jri_buffer_bytes(&state->args);
  if (state->cancelled) {
    result->outcome = JR_RUN_FAILED_CANCELLED;
  } else if (run->has_backoff && isnan(state->retry_in)) {
    run->phase = JRI_PHASE_BACKOFF;
    drop_steps(L, run);
    jri_renew_timeout(state);
  }
}

/// Finds out what the first phase of the earlier call knew.
static int check_stored(lua_State *L) {
  jri_run *run = lua_touserdata(L, RUN);
  lua_settop(L, ARGS - 1);
  push_args(L, run);
  return 0;
}

static int decode_error(lua_State *L) {
  const jr_request *request = &((jri_run *)lua_touserdata(L, RUN))->request;
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

static void add_suspended(jri_run *run) {
  jr_state *state = run->state;
  run->previous_suspended = NULL;
  run->next_suspended = state->first_suspended;
  if (run->next_suspended != NULL) run->next_suspended->previous_suspended = run;
  state->first_suspended = run;
  state->suspended++;
}

static void remove_suspended(jri_run *run) {
  jr_state *state = run->state;
  if (run->next_suspended != NULL) run->next_suspended->previous_suspended = run->previous_suspended;
  if (run->previous_suspended != NULL) {
    run->previous_suspended->next_suspended = run->next_suspended;
  } else {
    state->first_suspended = run->next_suspended;
  }
  state->suspended--;
}

void jri_free_suspended(jr_state *state) {
  while (state->first_suspended != NULL) {
    jri_run *run = state->first_suspended;
    remove_suspended(run);
    jri_free_run(state, run);
  }
}

static void begin_slice(jri_run *run, jr_result *result) {
  jr_state *state = run->state;
  jri_begin(state);
  *result = (jr_result){.outcome = JR_RUN_UNDEFINED, .retry_in = NAN};
  run->result = result;
  state->current = run;
  state->run = run->request.run;
  state->running = true;
  state->cancelled = false;
  state->in_errback = false;
  state->keeps_traceback = false;
  state->retry_in = NAN;
}

static void end_slice(jri_run *run) {
  jr_state *state = run->state;
  jr_result *result = run->result;
  // One that goes on is marked as suspended until its phase has begun.
  do advance(run);
  while (run->phase != JRI_PHASE_FINISHED && !run->suspended);
  if (run->suspended) {
    run->left = jri_time_left_of(state);
    run->retry_in = state->retry_in;
    run->ending = 0;
    run->woken = NULL;
    if (run->phase == JRI_PHASE_ERRBACKS) swap_aside(run);
    *result = (jr_result){.outcome = JR_RUN_SUSPENDED, .retry_in = NAN, .suspended = run};
    result->deadline = run->left.deadline;
    add_suspended(run);
  } else {
    drop_steps(state->lua, run);
    if (result->outcome == JR_RUN_FAILED) result->retry_in = state->retry_in;
    if (run->keeps_stored_args) result->args = stored_args(run);
  }
  jri_end_interruption(state);
  state->running = false;
  state->cancelled = false;
  state->run = NULL;
  state->current = NULL;
  if (!run->suspended) recycle(run);
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

static void continue_run(jri_run *run, jr_result *result) {
  jr_state *state = run->state;
  remove_suspended(run);
  begin_slice(run, result);
  state->retry_in = run->retry_in;
  if (run->phase == JRI_PHASE_ERRBACKS) {
    swap_aside(run);
    result->outcome = JR_RUN_FAILED;
  }
  // What is at its end closes what it has open without a deadline that has passed.
  if (run->ending != 0) run->left.deadline = 0;
  jri_continue_interruption(state, run->request.number, &run->left);
  end_slice(run);
}

bool jr_resume(jr_state *state, uint64_t token, const jr_answer *answer, jr_result *result) {
  lua_State *L = state->lua;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
  lua_rawgeti(L, -1, (lua_Integer)token);
  jri_strand *strand = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (strand != NULL) {
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)token);
    strand->token = 0;
  }
  lua_pop(L, 1);
  if (strand == NULL) return false;
  strand->run->woken = strand;
  state->answer = answer;
  continue_run(strand->run, result);
  return true;
}

void jr_end_suspended(jr_state *state, jr_suspended *run, jr_end_reason reason, jr_result *result) {
  (void)state;
  run->ending = reason;
  continue_run(run, result);
}

size_t jr_suspended_count(const jr_state *state) { return state->suspended; }
