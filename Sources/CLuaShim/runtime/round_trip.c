#include "json/decode.h"
#include "json/encode.h"
#include "runtime/errors.h"

typedef struct {
  jr_state *state;
  const char *json;
  size_t length;
} round_trip;

static int make_round_trip(lua_State *L) {
  static const jri_json_options options = {.root = "value", .object_without = NULL};
  const round_trip *trip = lua_touserdata(L, 1);
  jri_json_decode(L, trip->json, trip->length, "", NULL);
  jri_json_encode_or_raise(L, &trip->state->args, &options);
  return 0;
}

bool jr_json_round_trip(jr_state *state, const char *json, size_t length, jr_bytes *out) {
  lua_State *L = state->lua;
  round_trip trip = {.state = state, .json = json, .length = length};
  jri_begin(state);
  lua_pushcfunction(L, make_round_trip);
  lua_pushlightuserdata(L, &trip);
  bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
  *out = good ? jri_buffer_bytes(&state->args) : jri_describe_unprotected(state, &state->message);
  jri_end(state);
  return good;
}
