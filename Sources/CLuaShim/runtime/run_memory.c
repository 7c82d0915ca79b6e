// A run in memory: made, kept while it is suspended, and freed.
#include "runtime/run_memory.h"

#include <math.h>

#include "runtime/job.h"
#include "runtime/run.h"

static void start_anew(jr_state *state, jri_run *run) {
  *run = (jri_run){
      .state = state, .retry_in = NAN, .kept_error = LUA_NOREF, .kept_record = LUA_NOREF, .kept_args = LUA_NOREF};
}

static void free_aside(jr_state *state, jri_run *run) {
  if (run->aside == NULL) return;
  for (int i = 0; i < JRI_ASIDE; i++) jri_buffer_free(&run->aside[i]);
  jri_reallocate(&state->memory, run->aside, JRI_ASIDE * sizeof *run->aside, 0);
}

jri_run *jri_make_run(jr_state *state) {
  jri_run *run = jri_reallocate(&state->memory, NULL, 0, sizeof *run);
  if (run == NULL) return NULL;
  start_anew(state, run);
  return run;
}

static void free_kept(jr_state *state, jri_run *run) {
  free_aside(state, run);
  if (run->kept != NULL) jri_reallocate(&state->memory, run->kept, run->kept_size, 0);
  jri_discharge(&state->memory, run->charged);
}

void jri_free_run(jr_state *state, jri_run *run) {
  if (run == NULL) return;
  free_kept(state, run);
  jri_reallocate(&state->memory, run, sizeof *run, 0);
}

/// Keeps the request's bytes that are still needed. A host that takes pauses has the args itself: what it has counts,
/// too.
static void keep_request(lua_State *L, jri_run *run) {
  enum { HOST_BYTES = 384 };
  jr_request *request = &run->request;
  bool whole = !request->pauses;
  size_t charge = HOST_BYTES + (whole ? 0 : request->args_length);
  if (!jri_charge(&run->state->memory, charge)) {
    lua_gc(L, LUA_GCCOLLECT);
    if (!jri_charge(&run->state->memory, charge)) jri_raise_memory(L);
  }
  run->charged = charge;
  size_t args = whole ? request->args_length : 0;
  size_t itself = whole && request->job_itself != NULL ? request->job_itself_length : 0;
  run->kept_size = request->name_length + args + itself;
  run->kept = jri_reallocate(&run->state->memory, NULL, 0, run->kept_size);
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

void jri_forget_kept(lua_State *L, jri_run *run) {
  forget_value(L, &run->kept_error);
  forget_value(L, &run->kept_record);
  forget_value(L, &run->kept_args);
}

void jri_keep_suspended(lua_State *L, jri_run *run) {
  jr_state *state = run->state;
  if (state->spare == NULL) state->spare = jri_make_run(state);
  if (state->spare == NULL) jri_raise_memory(L);
  keep_value(L, JRI_AT_ERROR, &run->kept_error);
  keep_value(L, JRI_AT_RECORD, &run->kept_record);
  keep_value(L, JRI_AT_ARGS, &run->kept_args);
  if (run->kept == NULL) keep_request(L, run);
  if (run->phase == JRI_PHASE_ERRBACKS && run->aside == NULL) {
    run->aside = jri_reallocate(&state->memory, NULL, 0, JRI_ASIDE * sizeof *run->aside);
    if (run->aside == NULL) jri_raise_memory(L);
    for (int i = 0; i < JRI_ASIDE; i++) run->aside[i] = (jri_buffer){.memory = &state->memory};
  }
  run->suspended = true;
}

void jri_place_kept(lua_State *L, jri_run *run) {
  lua_settop(L, JRI_AT_RUN);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_error);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_record);
  lua_getiuservalue(L, JRI_AT_RECORD, JRI_JOB_STEPS);
  lua_rawgeti(L, LUA_REGISTRYINDEX, run->kept_args);
}

jr_bytes jri_stored_args(const jri_run *run) {
  jr_state *state = run->state;
  const jr_request *request = &run->request;
  if (request->args == NULL) return (jr_bytes){NULL, 0};
  state->memory.unlimited = true;
  jri_buffer_reset(&state->args);
  jri_buffer_add(&state->args, request->args, request->args_length);
  state->memory.unlimited = false;
  if (!state->args.failed) return jri_buffer_bytes(&state->args);
  return (jr_bytes){.bytes = request->args, .length = request->args_length};
}

void jri_recycle_run(jri_run *run) {
  jr_state *state = run->state;
  free_kept(state, run);
  if (state->spare != NULL) {
    jri_reallocate(&state->memory, run, sizeof *run, 0);
  } else {
    start_anew(state, run);
    state->spare = run;
  }
}

void jri_add_suspended(jri_run *run) {
  jr_state *state = run->state;
  run->previous_suspended = NULL;
  run->next_suspended = state->first_suspended;
  if (run->next_suspended != NULL) run->next_suspended->previous_suspended = run;
  state->first_suspended = run;
  state->suspended++;
}

void jri_remove_suspended(jri_run *run) {
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
    jri_remove_suspended(run);
    jri_free_run(state, run);
  }
}
