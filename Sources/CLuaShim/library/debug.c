// What is left of `debug`. Upvalues are there of functions of scripts alone: those of C functions are what guards rest
// on, such as Lua's own `load` behind ours, and those of libraries are functions of the host, which trust their
// callers. Metatables that say
// `__metatable` stay hidden; those of `json.array`, `CancelJob`, tasks and libraries do.
#include "library/library.h"
#include "runtime/places.h"
#include "runtime/tracebacks.h"

/// Whether the value is a function of a script.
static bool is_own(lua_State *L, int index) {
  lua_Debug function;
  if (lua_type(L, index) != LUA_TFUNCTION || lua_iscfunction(L, index)) return false;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">S", &function);
  return function.source[0] != '=' || function.source[1] != '[';
}

/// Pushes the upvalue that the arguments at `index` and behind it name, and returns its name; NULL, and pushes nothing,
/// where there is none to be seen.
static const char *push_upvalue(lua_State *L, int index) {
  lua_Integer number = luaL_checkinteger(L, index + 1);
  luaL_checktype(L, index, LUA_TFUNCTION);
  return is_own(L, index) && number >= 1 && number <= 255 ? lua_getupvalue(L, index, (int)number) : NULL;
}

static int get_upvalue(lua_State *L) {
  const char *name = push_upvalue(L, 1);
  if (name == NULL) return 0;
  lua_pushstring(L, name);
  lua_insert(L, -2);
  return 2;
}

static int set_upvalue(lua_State *L) {
  luaL_checkany(L, 3);
  const char *name = push_upvalue(L, 1);
  if (name == NULL) return 0;
  lua_settop(L, 3);
  lua_pushstring(L, lua_setupvalue(L, 1, (int)lua_tointeger(L, 2)));
  return 1;
}

static int upvalue_id(lua_State *L) {
  if (push_upvalue(L, 1) == NULL) {
    luaL_pushfail(L);
  } else {
    lua_pushlightuserdata(L, lua_upvalueid(L, 1, (int)lua_tointeger(L, 2)));
  }
  return 1;
}

static int join_upvalues(lua_State *L) {
  for (int index = 1; index <= 3; index += 2) {
    const bool seen = push_upvalue(L, index) != NULL;
    luaL_argcheck(L, is_own(L, index), index, "function of a script expected");
    luaL_argcheck(L, seen, index + 1, "invalid upvalue index");
  }
  lua_upvaluejoin(L, 1, (int)lua_tointeger(L, 2), 3, (int)lua_tointeger(L, 4));
  return 0;
}

static int get_metatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushliteral(L, "__metatable");
  const bool hidden = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 1);
  if (hidden) lua_pushnil(L);
  return 1;
}

/// Where the traceback of the coroutine begins that asks for it: behind this function, and what calls it where it is a
/// handler.
static int first_level(lua_State *L) {
  lua_Debug caller;
  const bool handles =
      lua_getstack(L, 1, &caller) && lua_getinfo(L, "S", &caller) && strcmp(caller.source, JRI_HANDLING_CHUNK) == 0;
  return handles ? 2 : 1;
}

/// As Lua's own, but for the frames of libraries.
static int traceback(lua_State *L) {
  lua_State *thread = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  const int message = lua_isthread(L, 1) ? 2 : 1;
  lua_settop(L, message + 1);
  if (!lua_isnil(L, message) && !lua_isstring(L, message)) {
    lua_pushvalue(L, message);
    return 1;
  }
  const int first = thread == L ? first_level(L) : 0;
  jri_push_traceback(L, thread, (int)luaL_optinteger(L, message + 1, first));
  if (lua_isnil(L, message)) return 1;
  lua_pushvalue(L, message);
  lua_pushliteral(L, "\n");
  lua_rotate(L, -3, 2);
  lua_concat(L, 3);
  return 1;
}

void jri_open_debug(lua_State *L) {
  static const char *const kept[] = {"getinfo", "getlocal", "gethook"};
  static const luaL_Reg functions[] = {{"getupvalue", get_upvalue},
                                       {"setupvalue", set_upvalue},
                                       {"upvalueid", upvalue_id},
                                       {"upvaluejoin", join_upvalues},
                                       {"getmetatable", get_metatable},
                                       {"traceback", traceback},
                                       {NULL, NULL}};
  lua_getglobal(L, "debug");
  luaL_newlib(L, functions);
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    lua_getfield(L, -2, kept[i]);
    lua_setfield(L, -2, kept[i]);
  }
  // Of tables alone, and not of those whose metatable is protected.
  lua_getglobal(L, "setmetatable");
  lua_setfield(L, -2, "setmetatable");
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "debug");
  lua_pop(L, 1);
  lua_setglobal(L, "debug");
  lua_pop(L, 1);
}
