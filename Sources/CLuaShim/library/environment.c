// What the standard libraries lose: what would end or corrupt the node (`os.exit`, compiled chunks, the process's
// locale). It is no sandbox: scripts are their operator's code.
#include <stdio.h>

#include "library/library.h"
#include "runtime/cancelling.h"
#include "runtime/sites.h"

static int no_exit(lua_State *L) { return luaL_error(L, "os.exit is not available in a job: it would end the node"); }

/// What loading returns where the mode does not let text in; 0 where it does. `results` values have been loaded, or an
/// error.
static int refuse_text(lua_State *L, const char *mode, int results) {
  if (mode == NULL || strchr(mode, 't') != NULL) return 0;
  // What is no text either has been refused, and says so.
  const char *error = results == 2 ? lua_tostring(L, -1) : NULL;
  if (error != NULL && strstr(error, "attempt to load a binary chunk") != NULL) return 0;
  lua_pushnil(L);
  lua_pushfstring(L, "attempt to load a text chunk (mode is '%s')", mode);
  return 2;
}

/// `load` as it is, except that compiled chunks are never loaded. Upvalue: Lua's own.
static int load_text(lua_State *L) {
  char mode[8];
  if (lua_type(L, 1) != LUA_TSTRING) luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_optstring(L, 2, NULL);
  const char *asked = luaL_optstring(L, 3, NULL);
  // The stack is used for another.
  if (asked != NULL) snprintf(mode, sizeof mode, "%s", asked);
  if (lua_gettop(L) < 3) lua_settop(L, 3);
  if (lua_gettop(L) > 4) lua_settop(L, 4);
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  // The function that hands over the pieces may have cancelled the job.
  jri_raise_cancelled(L);
  const int refused = refuse_text(L, asked != NULL ? mode : NULL, lua_gettop(L));
  return refused != 0 ? refused : lua_gettop(L);
}

/// As `luaL_loadfilex`, of text alone. The file may be one that has to be waited for.
static int load_text_file(lua_State *L, const char *file, const char *function) {
  jri_begin_call(L, function);
  int status = luaL_loadfilex(L, file, "t");
  jri_end_call(&jri_state(L)->call);
  return status;
}

static int load_file(lua_State *L) {
  const char *file = luaL_optstring(L, 1, NULL);
  const char *mode = luaL_optstring(L, 2, NULL);
  bool environment = !lua_isnone(L, 3);
  lua_settop(L, 3);
  if (load_text_file(L, file, "loadfile") != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  const int refused = refuse_text(L, mode, 1);
  if (refused != 0) return refused;
  if (environment) {
    lua_pushvalue(L, 3);
    lua_setupvalue(L, -2, 1);
  }
  return 1;
}

static int file_done(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1;
}

static int do_file(lua_State *L) {
  const char *file = luaL_optstring(L, 1, NULL);
  lua_settop(L, 1);
  if (load_text_file(L, file, "dofile") != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, file_done);
  return file_done(L, LUA_OK, 0);
}

/// Lua's own searcher takes compiled modules too. Upvalues: the `package` table and its `searchpath`.
static int search_text_module(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING) {
    return luaL_error(L, "'package.path' must be a string");
  }
  lua_call(L, 2, 2);
  if (lua_isnil(L, 2)) return 1;
  lua_settop(L, 2);
  const char *file = lua_tostring(L, 2);
  if (load_text_file(L, file, "require") != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1), file,
                      lua_tostring(L, -1));
  }
  lua_insert(L, 2);
  return 2;
}

static void open_modules(lua_State *L, const char *directory) {
  lua_getglobal(L, "package");
  if (directory != NULL) {
    lua_getfield(L, -1, "path");
    const char *rest = lua_tostring(L, -1);
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", directory, directory, rest != NULL ? rest : "");
    lua_setfield(L, -3, "path");
    lua_pop(L, 1);
  }
  lua_getfield(L, -1, "searchers");
  lua_pushvalue(L, -2);
  lua_getfield(L, -3, "searchpath");
  lua_pushcclosure(L, search_text_module, 2);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

static void remove_field(lua_State *L, const char *library, const char *name) {
  lua_getglobal(L, library);
  lua_pushnil(L);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void jri_open_environment(lua_State *L, const char *module_directory) {
  lua_getglobal(L, "load");
  lua_pushcclosure(L, load_text, 1);
  lua_setglobal(L, "load");
  lua_register(L, "loadfile", load_file);
  lua_register(L, "dofile", do_file);
  remove_field(L, "string", "dump");
  remove_field(L, "os", "setlocale");
  lua_getglobal(L, "os");
  lua_pushcfunction(L, no_exit);
  lua_setfield(L, -2, "exit");
  lua_pop(L, 1);
  open_modules(L, module_directory);
}

/// The searcher that stands for those that look for files. What it returns `require` adds to its error.
static int search_nowhere(lua_State *L) {
  lua_pushfstring(L, "no other file is looked for with %s", jri_state(L)->names->strict);
  return 1;
}

void jri_make_strict(lua_State *L) {
  static const char *const globals[] = {"io", "dofile", "loadfile", NULL};
  static const char *const system[] = {"execute", "remove", "rename", "tmpname", "getenv", NULL};
  for (int i = 0; globals[i] != NULL; i++) {
    lua_pushnil(L);
    lua_setglobal(L, globals[i]);
  }
  for (int i = 0; system[i] != NULL; i++) remove_field(L, "os", system[i]);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  lua_setfield(L, -2, "io");
  lua_pop(L, 1);
  // Of the searchers those of `package.preload` and of the folder's scripts, which are in memory, stay. Behind them are
  // those for Lua text and for C modules, wherever `package.path` and `package.cpath` say.
  remove_field(L, "package", "loadlib");
  remove_field(L, "package", "cpath");
  remove_field(L, "package", "searchpath");
  lua_getglobal(L, "package");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "path");
  lua_getfield(L, -1, "searchers");
  lua_pushcfunction(L, search_nowhere);
  lua_rawseti(L, -2, 3);
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i > 3; i--) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
}
