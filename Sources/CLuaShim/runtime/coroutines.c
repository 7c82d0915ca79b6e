#include "runtime/coroutines.h"

#include "runtime/interruption.h"

void jri_take_coroutine(lua_State *L, jri_coroutine *coroutine) {
  jr_state *state = jri_state(L);
  if (state->idle_count > 0) {
    *coroutine = state->idle[--state->idle_count];
    return;
  }
  lua_State *thread = lua_newthread(L);
  *(uintptr_t *)lua_getextraspace(thread) |= JRI_HOST_BIT;
  *coroutine = (jri_coroutine){.thread = thread, .reference = luaL_ref(L, LUA_REGISTRYINDEX)};
}

void jri_give_coroutine(lua_State *L, jri_coroutine *coroutine) {
  jr_state *state = jri_state(L);
  jri_coroutine given = *coroutine;
  if (given.thread == NULL) return;
  coroutine->thread = NULL;
  if (given.resumed || lua_status(given.thread) != LUA_OK || lua_gettop(given.thread) != 0) {
    jri_close_thread(L, given.thread);
    lua_settop(given.thread, 0);
  }
  // Lua raises some errors of a coroutine that a script resumes (no memory for the text of "cannot resume dead
  // coroutine") straight through to the main thread's protected call. The coroutine in between then never came back,
  // and would jump to a stack frame that is gone if it were used again.
  // One of a run that was interrupted may have hooks, or have them switched off.
  if (given.resumed || state->interruption.disturbed || state->idle_count == JRI_IDLE_COROUTINES) {
    luaL_unref(L, LUA_REGISTRYINDEX, given.reference);
  } else {
    state->idle[state->idle_count++] = given;
  }
}
