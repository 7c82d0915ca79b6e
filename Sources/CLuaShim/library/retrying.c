#include "library/library.h"
#include "runtime/job.h"
#include "runtime/run.h"

/// `retry_in(seconds)`: when a failed job runs again, said by its errbacks; the last word counts.
static int retry_in(lua_State *L) {
  jr_state *state = jri_state(L);
  if (!state->slice.in_errback) return luaL_error(L, "retry_in can only be called in an errback");
  double seconds = lua_type(L, 1) == LUA_TNUMBER ? (double)lua_tonumber(L, 1) : -1;
  // False for NaN as well.
  if (!(seconds >= 0 && seconds <= JRI_LONGEST_DELAY)) {
    const char *shown = lua_type(L, 1) == LUA_TNUMBER ? luaL_tolstring(L, 1, NULL) : luaL_typename(L, 1);
    return luaL_error(L, "retry_in: the delay must be a number of seconds from 0 to 1000000000, got %s", shown);
  }
  state->slice.run->retry_in = seconds;
  return 0;
}

void jri_open_retrying(lua_State *L) { lua_register(L, "retry_in", retry_in); }
