// What a call of a job's function costs without a run around it: what runs are measured against.
#include "json/decode.h"
#include "runtime/job.h"

typedef struct {
  jr_state *state;
  const char *name;
  const char *args;
  size_t args_length;
  uint64_t count;
  int64_t nanoseconds;
} bare_calls;

/// Pushes the body of the job.
static void push_body(lua_State *L, const bare_calls *calls) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, calls->state->jobs);
  if (lua_getfield(L, -1, calls->name) != LUA_TUSERDATA) luaL_error(L, "no script defines '%s'", calls->name);
  lua_getiuservalue(L, -1, JRI_JOB_STEPS);
  lua_rawgeti(L, -1, 1);
}

static int make_calls(lua_State *L) {
  bare_calls *calls = lua_touserdata(L, 1);
  push_body(L, calls);
  int body = lua_gettop(L);
  jri_json_decode(L, calls->args, calls->args_length, "args", NULL);
  int args = lua_gettop(L);
  int64_t start = jri_clock_now();
  for (uint64_t i = 0; i < calls->count; i++) {
    lua_pushvalue(L, body);
    lua_pushvalue(L, args);
    lua_call(L, 1, 0);
  }
  calls->nanoseconds = jri_clock_now() - start;
  return 0;
}

int64_t jr_time_bare_calls(jr_state *state, const char *name, const char *args, size_t args_length, uint64_t count) {
  lua_State *L = state->lua;
  bare_calls calls = {.state = state, .name = name, .args = args, .args_length = args_length, .count = count};
  jri_begin(state);
  lua_pushcfunction(L, make_calls);
  lua_pushlightuserdata(L, &calls);
  bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
  if (!good) lua_settop(L, 0);
  jri_end(state);
  return good ? calls.nanoseconds : -1;
}
