// `CancelJob`, and the functions of the standard library that catch errors, made so that they do not catch that one.
//
// Raising it marks the run. Whatever may have caught it looks at the mark and raises it again; a script that loses it
// in some other way (a finalizer, an iterator's close) is stopped by the mark at the next such call, or at the end of
// the step.
#include "library/library.h"
#include "runtime/cancelling.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "runtime/strands.h"

static int cancel_job(lua_State *L) {
  jri_require_running(L, "cancel_job");
  return jri_raise_cancel(L);
}

/// As `luaL_where`, but that an error of a library's function has the place of the script that is nearest to it.
static void push_where(lua_State *L, int level) {
  lua_Debug frame;
  if (lua_getstack(L, level, &frame) && lua_getinfo(L, "Sl", &frame) && frame.currentline > 0 &&
      frame.source[0] == '=' && frame.source[1] == '[') {
    jri_push_place(L);
  } else {
    luaL_where(L, level);
  }
}

static int guarded_error(lua_State *L) {
  int level = (int)luaL_optinteger(L, 2, 1);
  lua_settop(L, 1);
  if (jri_is_cancel(L, 1)) return jri_raise_cancel(L);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
    push_where(L, level);
    lua_insert(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

/// After a protected call, with `kept` values below what it returned: the results behind `true`, or the error behind
/// `false`.
static int finish_call(lua_State *L, int status, lua_KContext kept) {
  bool good = status == LUA_OK || status == LUA_YIELD;
  if (!good) {
    jri_end_call(&jri_state(L)->call);
    jri_name_limit(L, &jri_state(L)->memory);
  }
  if (jri_interrupted(jri_state(L))) return jri_stop(L);
  if (!good && jri_is_cancel(L, -1)) jri_raise_cancel(L);
  jri_raise_cancelled(L);
  if (good) return lua_gettop(L) - (int)kept;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int guarded_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  // Below the call stay the handler and what a good call returns first.
  lua_pushcfunction(L, jri_placing_handler);
  lua_insert(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 2);
  return finish_call(L, lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 1, finish_call), 1);
}

/// Upvalue: makes of a script's handler one that is given errors with the place of a script.
static int guarded_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  int arguments = lua_gettop(L) - 2;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  lua_replace(L, 2);
  // Below the call stay the function and the handler; the call itself starts at 3.
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  return finish_call(L, lua_pcallk(L, arguments, LUA_MULTRET, 2, 2, finish_call), 2);
}

static int cancel_text(lua_State *L) {
  lua_pushliteral(L, "CancelJob");
  return 1;
}

static void open_cancel(lua_State *L) {
  jr_state *state = jri_state(L);
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, cancel_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "CancelJob");
  lua_setfield(L, -2, "__name");
  lua_pushliteral(L, "CancelJob");
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  state->cancel_job_address = lua_topointer(L, -1);
  lua_pushvalue(L, -1);
  state->cancel_job = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_setglobal(L, "CancelJob");
}

static void open_xpcall(lua_State *L) {
  // Of Lua, whose tail call leaves no frame: a handler finds whatever has raised at the level that it knows.
  static const char text[] =
      "local place = ... return function(handler) return function(e) return handler(place(e)) end end";
  if (luaL_loadbufferx(L, text, sizeof text - 1, JRI_HANDLING_CHUNK, "t") != LUA_OK) lua_error(L);
  lua_pushcfunction(L, jri_placing_handler);
  lua_call(L, 1, 1);
  lua_pushcclosure(L, guarded_xpcall, 1);
  lua_setglobal(L, "xpcall");
}

void jri_open_guarded(lua_State *L) {
  open_cancel(L);
  lua_register(L, "cancel_job", cancel_job);
  lua_register(L, "error", guarded_error);
  lua_register(L, "pcall", guarded_pcall);
  open_xpcall(L);
}
