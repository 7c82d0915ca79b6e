#include "library/library.h"
#include "runtime/interruption.h"
#include "runtime/sites.h"

/// Notes what a script sets while it is loaded. An argument of 0 leaves a value as it is.
static void note_settings(lua_State *L, jri_collector *c, const char *option) {
  int first = (int)luaL_optinteger(L, 2, 0), second = (int)luaL_optinteger(L, 3, 0);
  int third = (int)luaL_optinteger(L, 4, 0);
  if (strcmp(option, "setpause") == 0) {
    c->pause = first;
  } else if (strcmp(option, "setstepmul") == 0) {
    c->step_multiplier = first;
  } else if (strcmp(option, "generational") == 0) {
    c->generational = true;
    if (first != 0) c->minor = first;
    if (second != 0) c->major = second;
  } else if (strcmp(option, "incremental") == 0) {
    c->generational = false;
    if (first != 0) c->pause = first;
    if (second != 0) c->step_multiplier = second;
    if (third != 0) c->step_size = third;
  }
}

/// `collectgarbage`. Upvalue: Lua's own.
static int collect_garbage(lua_State *L) {
  jr_state *state = jri_state(L);
  const char *option = luaL_optstring(L, 1, "collect");
  bool asks = strcmp(option, "count") == 0 || strcmp(option, "isrunning") == 0;
  if (!asks) {
    // Whatever it does, `collect` and `step` included: that is not often.
    state->collector.changed = true;
    if (state->slice.run == NULL) note_settings(L, &state->collector, option);
    jri_begin_call(L, "collectgarbage");
  }
  int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
  if (!asks) jri_end_call(&state->call);
  return results;
}

void jr_collect(jr_state *state) {
  jri_begin(state);
  jri_begin_aside(state);
  lua_gc(state->lua, LUA_GCCOLLECT);
  jri_end_aside(state, "garbage was collected");
  jri_end(state);
}

void jri_open_collectgarbage(lua_State *L) {
  // As Lua's own state begins.
  jri_state(L)->collector =
      (jri_collector){.pause = 200, .step_multiplier = 100, .step_size = 13, .minor = 20, .major = 100};
  lua_getglobal(L, "collectgarbage");
  lua_pushcclosure(L, collect_garbage, 1);
  lua_setglobal(L, "collectgarbage");
}
