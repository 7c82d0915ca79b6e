#include "base/state.h"

#include <stdio.h>
#include <stdlib.h>

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

jr_state *jri_make_state(const jr_host *host, const jr_options *options) {
  jr_state *state = JRI_REALLOC(NULL, sizeof *state);
  if (state == NULL) return NULL;
  *state = (jr_state){.host = *host, .names = jri_setting_names_of(options), .loading_seconds = JRI_LOADING_SECONDS};
  jri_open_memory(&state->memory, options, state->names);
  if (options->loading_seconds > 0) state->loading_seconds = options->loading_seconds;
  for (int i = 0; i < JRI_BUFFERS; i++) state->buffers[i].memory = &state->memory;
  return state;
}

bool jri_start_lua(jr_state *state) {
  lua_State *L = lua_newstate(allocate, &state->memory);
  if (L == NULL) return false;
  state->lua = L;
  atomic_store(&state->interruption.current, L);
  *(uintptr_t *)lua_getextraspace(L) = (uintptr_t)state;
  lua_atpanic(L, panic);
  return true;
}

void jri_free_state(jr_state *state) {
  for (int i = 0; i < JRI_BUFFERS; i++) jri_buffer_free(&state->buffers[i]);
  jri_close_memory(&state->memory);
  JRI_FREE(state);
}

void jri_begin(jr_state *state) {
  state->memory.refused = false;
  for (int i = 0; i < JRI_BUFFERS; i++) jri_buffer_reset(&state->buffers[i]);
}

char *jri_scratch(lua_State *L, size_t size) {
  jri_buffer *scratch = &jri_state(L)->scratch;
  jri_buffer_reset(scratch);
  if (jri_buffer_reserve(scratch, size)) return scratch->bytes;
  lua_gc(L, LUA_GCCOLLECT);
  jri_buffer_reset(scratch);
  if (!jri_buffer_reserve(scratch, size)) jri_raise_memory(L);
  return scratch->bytes;
}

size_t jr_memory_used(const jr_state *state) { return state->memory.used; }
