#include "base/state.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "library/library.h"
#include "runtime/run.h"

// Tests put an allocator in place that fails on demand.
#ifndef JRI_REALLOC
#define JRI_REALLOC realloc
#define JRI_FREE free
#endif

// Tests do not wait so long.
#ifndef JRI_LOADING_SECONDS
#define JRI_LOADING_SECONDS 10
#endif

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  // For a new block Lua tells the kind of object in place of a size.
  return jri_reallocate(context, block, block != NULL ? old_size : 0, new_size);
}

static int panic(lua_State *L) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is not a string";
  fprintf(stderr, "CLuaShim: a Lua error outside every protected call: %s\n", text);
  abort();
}

static int open_protected(lua_State *L) {
  const jr_options *options = lua_touserdata(L, 1);
  luaL_openlibs(L);
  lua_getglobal(L, "next");
  jri_open_sites(lua_tocfunction(L, -1));
  lua_pop(L, 1);
  jri_open_limit_error(L);
  jri_open_environment(L, options->module_directory);
  jri_open_scripts(L);
  if (options->strict) jri_make_strict(L);
  jri_open_guarded(L);
  jri_open_coroutines(L);
  jri_open_finalizers(L);
  jri_open_debug(L);
  jri_open_calls(L);
  jri_open_collector(L);
  jri_open_host(L);
  jri_open_json(L);
  jri_open_definitions(L);
  jri_open_retrying(L);
  jri_open_progress(L);
  jri_open_enqueue(L);
  jri_open_tasks(L);
  return 0;
}

static size_t buffers(jr_state *state, jri_buffer *all[]) {
  jri_buffer *const list[] = {
      &state->args,    &state->error, &state->errback_error,   &state->message,     &state->traceback, &state->scratch,
      &state->warning, &state->note,  &state->inner_traceback, &state->inner_error, &state->step};
  size_t count = sizeof list / sizeof list[0];
  for (size_t i = 0; i < count; i++) all[i] = list[i];
  return count;
}

enum { MOST_BUFFERS = 11 };

jr_state *jr_open(const jr_host *host, const jr_options *options) {
  jr_state *state = JRI_REALLOC(NULL, sizeof *state);
  if (state == NULL) return NULL;
  *state = (jr_state){.host = *host, .names = jri_setting_names_of(options), .loading_seconds = JRI_LOADING_SECONDS};
  jri_open_memory(state, options);
  if (options->loading_seconds > 0) state->loading_seconds = options->loading_seconds;
  jri_buffer *all[MOST_BUFFERS];
  size_t count = buffers(state, all);
  for (size_t i = 0; i < count; i++) all[i]->state = state;

  state->spare = jri_make_run(state);
  state->lua = state->spare != NULL ? lua_newstate(allocate, state) : NULL;
  if (state->lua == NULL) {
    jr_close(state);
    return NULL;
  }
  lua_State *L = state->lua;
  atomic_store(&state->interruption.current, L);
  *(uintptr_t *)lua_getextraspace(L) = (uintptr_t)state;
  lua_atpanic(L, panic);
  lua_pushcfunction(L, open_protected);
  lua_pushlightuserdata(L, (void *)options);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    jr_close(state);
    return NULL;
  }
  jri_end(state);
  return state;
}

void jr_shut(jr_state *state) {
  if (state->lua == NULL) return;
  jri_begin_closing(state);
  lua_close(state->lua);
  state->lua = NULL;
  jri_end_closing(state);
}

void jr_close(jr_state *state) {
  if (state == NULL) return;
  jr_shut(state);
  jri_free_suspended(state);
  jri_free_run(state, state->spare);
  jri_buffer *all[MOST_BUFFERS];
  size_t count = buffers(state, all);
  for (size_t i = 0; i < count; i++) jri_buffer_free(all[i]);
  jri_close_memory(state);
  JRI_FREE(state);
}

void jri_begin(jr_state *state) {
  state->memory.refused = false;
  jri_buffer_reset(&state->args);
  jri_buffer_reset(&state->error);
  jri_buffer_reset(&state->errback_error);
  jri_buffer_reset(&state->message);
  jri_buffer_reset(&state->traceback);
  jri_buffer_reset(&state->scratch);
  jri_buffer_reset(&state->note);
  jri_buffer_reset(&state->inner_traceback);
  jri_buffer_reset(&state->inner_error);
  jri_buffer_reset(&state->step);
}
