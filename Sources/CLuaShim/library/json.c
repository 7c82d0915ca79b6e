#include "json/json.h"
#include "json/decode.h"
#include "json/encode.h"
#include "library/library.h"

static int encode(lua_State *L) {
  static const jri_json_options options = {.root = "value", .object_without = NULL};
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) lua_pushlightuserdata(L, NULL);
  jri_buffer *scratch = &jri_state(L)->scratch;
  jri_json_encode_or_raise(L, scratch, &options);
  lua_pushlstring(L, scratch->bytes, scratch->length);
  return 1;
}

static int decode(lua_State *L) {
  size_t length;
  luaL_checktype(L, 1, LUA_TSTRING);
  const char *bytes = lua_tolstring(L, 1, &length);
  jri_json_decode(L, bytes, length, "", NULL);
  return 1;
}

/// Marks a table as an array, so that it stays one when it is empty.
static int array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (jri_json_is_array(L, 1)) return 1;
  if (lua_getmetatable(L, 1)) return luaL_error(L, "json.array: the table has a metatable of its own");
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->array_metatable);
  lua_setmetatable(L, 1);
  return 1;
}

static int null_text(lua_State *L) {
  void *pointer = lua_touserdata(L, 1);
  if (pointer == NULL) {
    lua_pushliteral(L, "null");
  } else {
    lua_pushfstring(L, "userdata: %p", pointer);
  }
  return 1;
}

void jri_open_json(lua_State *L) {
  jr_state *state = jri_state(L);

  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  // The metatable is every job's: no script may change it.
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__metatable");
  state->array_metatable_address = lua_topointer(L, -1);
  state->array_metatable = luaL_ref(L, LUA_REGISTRYINDEX);

  lua_createtable(L, 0, 4);
  lua_pushcfunction(L, encode);
  lua_setfield(L, -2, "encode");
  lua_pushcfunction(L, decode);
  lua_setfield(L, -2, "decode");
  lua_pushcfunction(L, array);
  lua_setfield(L, -2, "array");

  // Light userdata have one metatable between them; scripts meet others only as what `debug.upvalueid` returns.
  lua_pushlightuserdata(L, NULL);
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "null");
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, null_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "null");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "null");

  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "json");
  lua_pop(L, 1);
  lua_setglobal(L, "json");
}
