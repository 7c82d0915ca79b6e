#include <math.h>

#include "library/library.h"
#include "runtime/strands.h"

/// `progress(fraction, text)`: how far the job is; either may be nil.
static int progress(lua_State *L) {
  jr_state *state = jri_state(L);
  jri_require_running(L, "progress");
  lua_settop(L, 2);
  if (lua_isnil(L, 1) && lua_isnil(L, 2)) return luaL_error(L, "progress: expected a fraction, a text or both");
  double fraction = NAN;
  if (!lua_isnil(L, 1)) {
    if (lua_type(L, 1) == LUA_TNUMBER) fraction = (double)lua_tonumber(L, 1);
    // False for NaN as well.
    if (!(fraction >= 0 && fraction <= 1)) {
      const char *shown = lua_type(L, 1) == LUA_TNUMBER ? luaL_tolstring(L, 1, NULL) : luaL_typename(L, 1);
      return luaL_error(L, "progress: the fraction must be a number from 0 to 1, got %s", shown);
    }
  }
  size_t length = 0;
  const char *text = lua_isnil(L, 2) ? "" : luaL_tolstring(L, 2, &length);
  if (state->host.progress != NULL)
    state->host.progress(state->host.context, state->slice.host_run, fraction, text, length);
  return 0;
}

void jri_open_progress(lua_State *L) { lua_register(L, "progress", progress); }
