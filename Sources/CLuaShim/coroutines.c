#include "coroutines.h"

void jri_take_coroutine(lua_State *L, jri_coroutine *coroutine) {
  jr_state *state = jri_state(L);
  if (state->idle_count > 0) {
    *coroutine = state->idle[--state->idle_count];
    return;
  }
  lua_State *thread = lua_newthread(L);
  coroutine->reference = luaL_ref(L, LUA_REGISTRYINDEX);
  coroutine->thread = thread;
}

void jri_give_coroutine(lua_State *L, jri_coroutine *coroutine) {
  jr_state *state = jri_state(L);
  lua_State *thread = coroutine->thread;
  if (thread == NULL) return;
  coroutine->thread = NULL;
  if (lua_gettop(thread) != 0 || lua_status(thread) != LUA_OK) {
    lua_resetthread(thread);
    lua_settop(thread, 0);
  }
  if (state->idle_count < JRI_IDLE_COROUTINES) {
    state->idle[state->idle_count++] = *coroutine;
    state->idle[state->idle_count - 1].thread = thread;
  } else {
    luaL_unref(L, LUA_REGISTRYINDEX, coroutine->reference);
  }
}
