// What a state is opened with, and closed.
#include <lualib.h>

#include "library/library.h"
#include "runtime/interruption.h"
#include "runtime/run_memory.h"
#include "runtime/sites.h"
#include "scripts/declarations.h"
#include "scripts/definitions.h"
#include "scripts/require.h"

static int open_protected(lua_State *L) {
  const jr_options *options = lua_touserdata(L, 1);
  luaL_openlibs(L);
  lua_getglobal(L, "next");
  jri_open_sites(lua_tocfunction(L, -1));
  lua_pop(L, 1);
  jri_open_limit_error(L, &jri_state(L)->memory);
  jri_open_environment(L, options->module_directory);
  jri_open_require(L);
  if (options->strict) jri_make_strict(L);
  jri_open_guarded(L);
  jri_open_coroutine(L);
  jri_open_finalizers(L);
  jri_open_debug(L);
  jri_open_long_calls(L);
  jri_open_collectgarbage(L);
  jri_open_log(L);
  jri_open_json(L);
  jri_open_definitions(L);
  jri_open_declarations(L);
  jri_open_retrying(L);
  jri_open_progress(L);
  jri_open_enqueue(L);
  jri_open_tasks(L);
  return 0;
}

jr_state *jr_open(const jr_host *host, const jr_options *options) {
  jr_state *state = jri_make_state(host, options);
  if (state == NULL) return NULL;
  state->spare = jri_make_run(state);
  if (state->spare == NULL || !jri_start_lua(state)) {
    jr_close(state);
    return NULL;
  }
  lua_State *L = state->lua;
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
  jri_free_state(state);
}
