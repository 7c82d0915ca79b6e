#include "scripts/modules.h"

#include "runtime/cancelling.h"
#include "runtime/errors.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "scripts/compile.h"

enum { WAITING_FILE = 1, WAITING_SOURCE, WAITING_VALUES = WAITING_SOURCE };

void jri_push_waiting_module(lua_State *L, const jr_script *script) {
  lua_newuserdatauv(L, 0, WAITING_VALUES);
  lua_pushstring(L, script->name);
  lua_setiuservalue(L, -2, WAITING_FILE);
  lua_pushlstring(L, script->source, script->length);
  lua_setiuservalue(L, -2, WAITING_SOURCE);
}

/// Runs the text of the userdata at 2 as the module whose name is at 1.
static int run_waiting(lua_State *L) {
  size_t length;
  lua_getiuservalue(L, 2, WAITING_FILE);
  lua_getiuservalue(L, 2, WAITING_SOURCE);
  const char *source = lua_tolstring(L, 4, &length);
  jri_compile(L, lua_tostring(L, 3), source, length);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_call(L, 2, 1);
  return 1;
}

/// Notes of the module whose name is at 1 what is at the top, which is popped. It has a place already: this takes no
/// memory.
static void note(lua_State *L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->modules);
  lua_pushvalue(L, 1);
  lua_rotate(L, -3, 2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

int jri_load_waiting_module(lua_State *L) {
  lua_settop(L, 1);
  lua_pushboolean(L, 1);
  note(L);
  lua_pushcfunction(L, jri_placing_handler);
  lua_pushcfunction(L, run_waiting);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (lua_pcall(L, 2, 1, 2) != LUA_OK) {
    lua_pushvalue(L, lua_upvalueindex(1));
    note(L);
    if (jri_interrupted(jri_state(L))) return jri_stop(L);
    if (jri_is_cancel(L, -1)) return jri_raise_cancel(L);
    jri_raise_cancelled(L);
    jri_push_text(L, -1);
    return jri_raise(L, "module '%s' cannot be loaded: %s", lua_tostring(L, 1), lua_tostring(L, -1));
  }
  lua_createtable(L, 1, 0);
  if (lua_isnil(L, -2)) {
    lua_pushboolean(L, 1);
  } else {
    lua_pushvalue(L, -2);
  }
  lua_rawseti(L, -2, 1);
  note(L);
  return 1;
}
