#include "scripts/require.h"

#include "runtime/places.h"
#include "scripts/modules.h"
#include "scripts/scripts.h"

/// Upvalue: what the module has returned.
static int loaded_module(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

/// `a/b` is the module `a.b`, wherever that is found. Upvalue: `require`.
static int load_by_dots(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  luaL_gsub(L, lua_tostring(L, 1), "/", ".");
  lua_call(L, 1, 1);
  return 1;
}

/// A searcher for `require`: the scripts of the folder. Upvalue: `require`.
static int search_scripts(lua_State *L) {
  const char *module = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  if (strchr(module, '/') != NULL) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, load_by_dots, 1);
    return 1;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->modules);
  lua_pushvalue(L, 1);
  switch (lua_rawget(L, -2)) {
    case LUA_TNUMBER:
      if (jri_state(L)->loading_set == NULL) {
        // There was no memory to keep its text.
        lua_pushnil(L);
        return 1;
      }
      lua_pushcclosure(L, jri_load_module, 1);
      break;
    case LUA_TUSERDATA: lua_pushcclosure(L, jri_load_waiting_module, 1); break;
    case LUA_TBOOLEAN: return jri_raise_cycle(L, module);
    case LUA_TSTRING: return jri_raise(L, "module '%s' cannot be loaded: %s", module, lua_tostring(L, -1));
    case LUA_TTABLE:
      lua_rawgeti(L, -1, 1);
      lua_pushcclosure(L, loaded_module, 1);
      break;
    default: lua_pushnil(L); return 1;
  }
  lua_pushliteral(L, "the job scripts");
  return 2;
}

void jri_open_require(lua_State *L) {
  lua_newtable(L);
  jri_state(L)->modules = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_getglobal(L, "require");
  lua_pushcclosure(L, search_scripts, 1);
  // Before those that look for files.
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -2); i >= 2; i--) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -3, i + 1);
  }
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}
