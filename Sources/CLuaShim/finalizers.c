// Lua runs finalizers with hooks switched off, so that nothing could stop one. But only in the coroutine that collects: so
// each runs in one of its own. `setmetatable` is where finalizers come from; it puts a function of ours in the place of
// `__gc`.
#include "coroutines.h"
#include "environment.h"

static void finish(lua_State *L, jri_coroutine *coroutine, int status) {
  lua_State *thread = coroutine->thread;
  if (jri_interrupted(jri_state(L))) {
    // What collects is stopped by its own hook.
    if (status == LUA_YIELD) jri_close_thread(L, thread);
    jri_give_coroutine(L, coroutine);
    return;
  }
  if (status == LUA_OK) {
    lua_settop(thread, 0);
    jri_give_coroutine(L, coroutine);
    return;
  }
  if (status == LUA_YIELD) {
    lua_pushliteral(L, "attempt to yield from a finalizer");
  } else {
    lua_xmove(thread, L, 1);
  }
  jri_give_coroutine(L, coroutine);
  if (jri_is_cancel(L, -1)) jri_raise_cancel(L);
  lua_error(L);
}

/// Upvalue: the script's finalizer.
static int finalize(lua_State *L) {
  int arguments = lua_gettop(L), results;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (!jri_state(L)->running) {
    lua_call(L, arguments, 0);
    return 0;
  }
  jri_coroutine coroutine;
  jri_take_coroutine(L, &coroutine);
  if (!lua_checkstack(coroutine.thread, arguments + 1)) {
    jri_give_coroutine(L, &coroutine);
    return luaL_error(L, "too many arguments to a finalizer");
  }
  lua_xmove(L, coroutine.thread, arguments + 1);
  coroutine.resumed = true;
  jri_state(L)->finalizing++;
  int status = jri_resume(L, coroutine.thread, arguments, &results);
  jri_state(L)->finalizing--;
  coroutine.resumed = false;
  finish(L, &coroutine, status);
  return 0;
}

static int guarded_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) == LUA_TFUNCTION && !lua_iscfunction(L, 3)) {
      lua_pushliteral(L, "__gc");
      lua_insert(L, 3);
      lua_pushcclosure(L, finalize, 1);
      lua_rawset(L, 2);
    }
    lua_settop(L, 2);
  }
  lua_setmetatable(L, 1);
  return 1;
}

void jri_open_finalizers(lua_State *L) { lua_register(L, "setmetatable", guarded_setmetatable); }
