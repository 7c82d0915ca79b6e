#include "runtime/cancelling.h"

bool jri_is_cancel(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TUSERDATA && lua_topointer(L, index) == jri_state(L)->cancel_job_address;
}

int jri_raise_cancel(lua_State *L) {
  jr_state *state = jri_state(L);
  if (state->slice.run != NULL) state->slice.cancelled = true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->cancel_job);
  return lua_error(L);
}

void jri_raise_cancelled(lua_State *L) {
  if (jri_state(L)->slice.cancelled) jri_raise_cancel(L);
}
