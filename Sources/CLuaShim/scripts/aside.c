#include "scripts/aside.h"

#include "runtime/interruption.h"

bool jri_call_aside(jr_state *state, lua_CFunction function, void *request, const char *doing) {
  lua_State *L = state->lua;
  jri_begin(state);
  jri_begin_aside(state);
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, request);
  bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
  jri_end_aside(state, doing);
  if (!good) lua_pop(L, 1);
  jri_end(state);
  return good;
}
