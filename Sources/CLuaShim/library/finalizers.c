// Lua runs finalizers with hooks switched off, so that nothing could stop one. But only in the coroutine that collects:
// so each runs in one of its own.
//
// When an object is collected Lua calls what stands in the `__gc` of its metatable by then: a C function that calls a
// Lua one
// (`pcall`, what `coroutine.wrap` made), a table with a `__call`, something that was put there later. So no object of a
// script gets to be one that Lua finalizes. A sentinel stands for it, a userdata whose `__gc` is ours, which leads to
// the object, and to which only the object leads, as the key of an ephemeron: both become unreachable at one time, and
// sentinels are finalized in the order that Lua has for objects.
#include "library/library.h"
#include "runtime/cancelling.h"
#include "runtime/coroutines.h"
#include "runtime/interruption.h"

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

/// The `__gc` of sentinels.
static int finalize(lua_State *L) {
  enum { SENTINEL = 1, OBJECT, SENTINELS, METATABLE = SENTINELS };
  jr_state *state = jri_state(L);
  lua_settop(L, SENTINEL);
  lua_getiuservalue(L, SENTINEL, 1);
  // An object that lives on may be given another.
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->sentinels);
  lua_pushvalue(L, OBJECT);
  lua_pushnil(L);
  lua_rawset(L, SENTINELS);
  lua_settop(L, OBJECT);
  // What is over, and what has used up its time, begins nothing.
  if (jri_interrupted(state) || !lua_getmetatable(L, OBJECT)) return 0;
  lua_pushliteral(L, "__gc");
  if (lua_rawget(L, METATABLE) == LUA_TNIL) return 0;
  lua_pushvalue(L, OBJECT);

  jri_coroutine coroutine;
  int results;
  jri_take_coroutine(L, &coroutine);
  lua_xmove(L, coroutine.thread, 2);
  coroutine.resumed = true;
  state->slice.finalizing++;
  int status = jri_resume(L, coroutine.thread, 1, &results);
  state->slice.finalizing--;
  coroutine.resumed = false;
  finish(L, &coroutine, status);
  return 0;
}

/// Gives the object at 1 a sentinel, if it has none. May raise "not enough memory".
static void watch_object(lua_State *L) {
  jr_state *state = jri_state(L);
  const int sentinels = lua_gettop(L) + 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->sentinels);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, sentinels) == LUA_TNIL) {
    lua_newuserdatauv(L, 0, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, sentinels);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->sentinel_metatable);
    lua_setmetatable(L, -2);
  }
  lua_settop(L, sentinels - 1);
}

static void set_gc(lua_State *L, int metatable, int value) {
  lua_pushliteral(L, "__gc");
  lua_pushvalue(L, value);
  lua_rawset(L, metatable);
}

static int guarded_setmetatable(lua_State *L) {
  enum { OBJECT = 1, METATABLE, FINALIZER, NOTHING };
  int type = lua_type(L, 2);
  luaL_checktype(L, OBJECT, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, OBJECT, "__metatable") != LUA_TNIL) {
    return luaL_error(L, "cannot change a protected metatable");
  }
  lua_settop(L, METATABLE);
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, METATABLE) != LUA_TNIL) {
      watch_object(L);
      // Lua must not see it now. Its key stays where it is, so that nothing here takes memory.
      lua_pushnil(L);
      set_gc(L, METATABLE, NOTHING);
      lua_pushvalue(L, METATABLE);
      lua_setmetatable(L, OBJECT);
      set_gc(L, METATABLE, FINALIZER);
      lua_settop(L, OBJECT);
      return 1;
    }
    lua_settop(L, METATABLE);
  }
  lua_setmetatable(L, OBJECT);
  return 1;
}

/// Files have a finalizer of C. Scripts get a copy of their metatable, so that they put none of theirs in its place.
static void protect_files(lua_State *L) {
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, -3)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void jri_open_finalizers(lua_State *L) {
  jr_state *state = jri_state(L);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  state->sentinels = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, finalize);
  lua_setfield(L, -2, "__gc");
  state->sentinel_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_register(L, "setmetatable", guarded_setmetatable);
  protect_files(L);
}
