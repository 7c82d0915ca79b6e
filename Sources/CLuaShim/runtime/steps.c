// The steps of a phase: each is called in the strand of the steps, and ends when it and the tasks that it spawned have.
#include "runtime/steps.h"

#include <math.h>

#include "json/decode.h"
#include "json/encode.h"
#include "runtime/coroutines.h"
#include "runtime/interruption.h"
#include "runtime/job.h"
#include "runtime/limits.h"
#include "runtime/run.h"
#include "runtime/run_memory.h"
#include "runtime/strands.h"
#include "runtime/tasks.h"
#include "runtime/tracebacks.h"

jri_step_end jri_interrupted_step(lua_State *L, jri_run *run) {
  if (jri_interrupted(run->state) == JRI_CANCELLED_OUTSIDE) {
    run->state->slice.cancelled = true;
    return JRI_STEP_CANCELLED;
  }
  jri_push_limit_error(L, run);
  return JRI_STEP_RAISED;
}

/// Ends what still runs of the step.
static jri_step_end give_up(lua_State *L, jri_run *run, jri_step_end end) {
  jri_end_tasks(L, run);
  jri_end_strand(L, &run->steps);
  return end;
}

/// What a step returns goes nowhere, which is said once a job; the args themselves are not lost.
static void note_results(lua_State *L, const jri_run *run) {
  static const char text[] = "what the job returns is lost: put it into args, such as args.result = \xE2\x80\xA6";
  lua_State *thread = run->steps.coroutine.thread;
  const jr_host *host = &run->state->host;
  jri_job *job = lua_touserdata(L, JRI_AT_RECORD);
  int count = lua_gettop(thread);
  if (count == 0 || job->told_of_results) return;
  while (count > 0 && lua_isnil(thread, count)) count--;
  if (count == 0 || (count == 1 && lua_topointer(thread, 1) == lua_topointer(L, JRI_AT_ARGS))) return;
  job->told_of_results = true;
  if (host->log != NULL) host->log(host->context, run->request.run, JR_LOG_WARNING, text, sizeof text - 1);
}

/// Runs the strand, then those that are ready, until none is or the step has ended.
static jri_step_end drive(lua_State *L, jri_run *run, jri_strand *strand, int arguments) {
  jr_state *state = run->state;
  while (strand != NULL) {
    if (strand == &run->steps) {
      switch (jri_run_strand(L, strand, arguments)) {
        case JRI_END_DONE:
          note_results(L, run);
          lua_settop(strand->coroutine.thread, 0);
          break;
        case JRI_END_SUSPENDED: break;
        case JRI_END_RAISED: jri_end_tasks(L, run); return JRI_STEP_RAISED;
        case JRI_END_CANCELLED: jri_end_tasks(L, run); return JRI_STEP_CANCELLED;
        case JRI_END_INTERRUPTED: jri_end_tasks(L, run); return jri_interrupted_step(L, run);
      }
    } else {
      jri_run_task(L, strand, arguments);
      if (state->slice.cancelled) return give_up(L, run, JRI_STEP_CANCELLED);
    }
    if (jri_interrupted(state)) {
      jri_end_tasks(L, run);
      jri_end_strand(L, &run->steps);
      return jri_interrupted_step(L, run);
    }
    arguments = 0;
    strand = jri_next_ready(run);
  }
  if (run->steps.state != JRI_STRAND_IDLE || jri_has_tasks(run)) return JRI_STEP_SUSPENDED;
  bool raised = jri_push_unseen_error(L, run);
  jri_end_tasks(L, run);
  return raised ? JRI_STEP_RAISED : state->slice.cancelled ? JRI_STEP_CANCELLED : JRI_STEP_DONE;
}

/// Where the run was suspended, it is at an end now.
static jri_step_end end_suspended(lua_State *L, jri_run *run) {
  jr_state *state = run->state;
  if (run->ending == JR_END_CANCELLED) {
    state->slice.cancelled = true;
    return give_up(L, run, JRI_STEP_CANCELLED);
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
  jri_push_timeout_error(L, run);
  give_up(L, run, JRI_STEP_RAISED);
  return state->slice.cancelled ? JRI_STEP_CANCELLED : JRI_STEP_RAISED;
}

jri_step_end jri_run_steps(lua_State *L, jri_run *run, int end) {
  jr_state *state = run->state;
  jri_step_end came = JRI_STEP_DONE;
  if (run->suspended) {
    run->suspended = false;
    came = run->ending != 0 ? end_suspended(L, run) : drive(L, run, run->woken, 0);
    state->slice.answer = NULL;
    if (came != JRI_STEP_DONE) return came;
    run->position++;
  }
  for (; run->position < end; run->position++) {
    if (jri_interrupted(state)) return jri_interrupted_step(L, run);
    if (run->steps.coroutine.thread == NULL) jri_take_coroutine(L, &run->steps.coroutine);
    lua_State *thread = run->steps.coroutine.thread;
    lua_rawgeti(L, JRI_AT_STEPS, run->position);
    lua_pushvalue(L, JRI_AT_ARGS);
    lua_xmove(L, thread, 2);
    run->steps.run = run;
    came = drive(L, run, &run->steps, 1);
    if (came != JRI_STEP_DONE) return came;
  }
  return JRI_STEP_DONE;
}

void jri_note_step(lua_State *L, jri_run *run) {
  jri_buffer *step = &run->state->step;
  jri_buffer_reset(step);
  lua_rawgeti(L, JRI_AT_STEPS, -run->position);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  if (text != NULL) jri_buffer_add_text(step, text, length);
  if (step->failed) jri_buffer_reset(step);
  run->result->step = jri_buffer_bytes(step);
  lua_pop(L, 1);
}

const jri_job *jri_find_job(lua_State *L, const jri_run *run) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->state->jobs);
  lua_pushlstring(L, run->request.name, run->request.name_length);
  int type = lua_rawget(L, JRI_AT_RECORD);
  lua_replace(L, JRI_AT_RECORD);
  if (type != LUA_TUSERDATA) return NULL;
  lua_getiuservalue(L, JRI_AT_RECORD, JRI_JOB_STEPS);
  return lua_touserdata(L, JRI_AT_RECORD);
}

void jri_push_args(lua_State *L, jri_run *run) {
  const jr_request *request = &run->request;
  jri_json_decode_object(L, request->args, request->args_length, "args", &run->args_invalid);
  if (request->job_itself == NULL || run->job_itself_invalid) return;
  lua_pushliteral(L, "job_itself");
  jri_json_decode_object(L, request->job_itself, request->job_itself_length, "args.job_itself",
                         &run->job_itself_invalid);
  lua_rawset(L, JRI_AT_ARGS);
}

int jri_phase_steps(lua_State *L) {
  static const char *const left_out[] = {"job_itself", NULL};
  static const jri_json_options options = {.root = "args", .object_without = left_out};
  jri_run *run = lua_touserdata(L, JRI_AT_RUN);
  const jri_job *job;
  if (run->suspended) {
    jri_place_kept(L, run);
    job = lua_touserdata(L, JRI_AT_RECORD);
  } else {
    lua_settop(L, JRI_AT_ERROR);
    job = jri_find_job(L, run);
    if (job == NULL) {
      run->result->outcome = JR_RUN_UNDEFINED;
      return 0;
    }
    jri_push_args(L, run);
    run->position = 1;
  }
  jri_step_end end = jri_run_steps(L, run, 2 + job->callbacks);
  if (end == JRI_STEP_RAISED) {
    jri_note_step(L, run);
    return lua_error(L);
  }
  if (end == JRI_STEP_SUSPENDED) {
    jri_keep_suspended(L, run);
    run->result->outcome = JR_RUN_SUSPENDED;
    return 0;
  }
  run->result->outcome = end == JRI_STEP_CANCELLED ? JR_RUN_CANCELLED : JR_RUN_SUCCEEDED;
  lua_settop(L, JRI_AT_ARGS);
  jri_json_encode_or_raise(L, &run->state->args, &options);
  return 0;
}
