#include "scripts/definitions.h"

#include "runtime/job.h"
#include "runtime/places.h"
#include "scripts/host_text.h"
#include "scripts/names.h"
#include "scripts/policy.h"

const char *jri_kind_word(jri_kind kind) {
  static const char *const words[] = {"job", "job_callback", "job_errback", "schedule", "limit"};
  return words[kind];
}

void jri_require_loading(lua_State *L, const char *word) {
  if (!jri_state(L)->loading) luaL_error(L, "%s can only be called while scripts load", word);
}

/// Pushes the file of the nearest calling Lua function and returns its line.
static int push_place(lua_State *L) {
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    if (!jri_is_script(L, &frame)) continue;
    lua_pushstring(L, frame.source[0] == '@' ? frame.source + 1 : frame.short_src);
    return frame.currentline;
  }
  lua_pushliteral(L, "?");
  return 0;
}

/// Completes a definition with the function at `function`.
static void set_function(lua_State *L, int record, int function) {
  lua_pushvalue(L, function);
  lua_setiuservalue(L, record, JRI_DEFINITION_FUNCTION);
}

/// `job 'name' (fn)`: the call that brings the function. Upvalue: the definition.
static int complete(lua_State *L) {
  const jri_definition *definition = lua_touserdata(L, lua_upvalueindex(1));
  const char *word = jri_kind_word(definition->kind);
  jri_require_loading(L, word);
  int count = lua_gettop(L);
  lua_settop(L, 1);
  lua_getiuservalue(L, lua_upvalueindex(1), JRI_DEFINITION_NAME);
  const char *name = lua_tostring(L, -1);
  if (lua_getiuservalue(L, lua_upvalueindex(1), JRI_DEFINITION_FUNCTION) == LUA_TFUNCTION) {
    return luaL_error(L, "%s '%s' already has its function", word, name);
  }
  if (count != 1 || !lua_isfunction(L, 1)) {
    return luaL_error(L, "%s '%s': expected one function, got %s", word, name,
                      count > 1 ? "more arguments" : luaL_typename(L, 1));
  }
  set_function(L, lua_upvalueindex(1), 1);
  return 0;
}

typedef struct {
  int extra;     // stack index of the options or the label, or 0
  int function;  // stack index, or 0 when it is still to come
} arguments;

static arguments check_arguments(lua_State *L, jri_kind kind) {
  const char *word = jri_kind_word(kind);
  const char *extra_words = kind == JRI_JOB ? "a table of options" : "a label";
  int extra_type = kind == JRI_JOB ? LUA_TTABLE : LUA_TSTRING;
  int count = lua_gettop(L);
  arguments found = {0, 0};
  if (count == 0) lua_pushnil(L);
  jri_check_text(L, word, "name", 1, false);
  if (count > 3) luaL_error(L, "%s: expected at most 3 arguments, got %d", word, count);
  if (count == 1) return found;
  if (count == 2 && lua_isfunction(L, 2)) {
    found.function = 2;
    return found;
  }
  if (lua_type(L, 2) != extra_type) {
    luaL_error(L, "%s: argument 2 must be %s%s, got %s", word, count == 2 ? "a function or " : "", extra_words,
               luaL_typename(L, 2));
  }
  found.extra = 2;
  if (count == 2) return found;
  if (!lua_isfunction(L, 3)) luaL_error(L, "%s: argument 3 must be a function, got %s", word, luaL_typename(L, 3));
  found.function = 3;
  return found;
}

jri_definition *jri_add_definition(lua_State *L, jri_kind kind) {
  jri_definition *definition = lua_newuserdatauv(L, sizeof *definition, JRI_DEFINITION_VALUES);
  const int record = lua_gettop(L);
  *definition = (jri_definition){.kind = kind, .policy = jri_no_policy};
  definition->line = push_place(L);
  lua_setiuservalue(L, record, JRI_DEFINITION_FILE);
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->pending);
  lua_pushvalue(L, record);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_settop(L, record);
  return definition;
}

static int define(lua_State *L, jri_kind kind) {
  jri_require_loading(L, jri_kind_word(kind));
  arguments given = check_arguments(L, kind);
  jri_policy policy = jri_no_policy;
  if (given.extra != 0) {
    if (kind == JRI_JOB) {
      jri_read_policy(L, given.extra, &policy);
    } else {
      jri_check_text(L, jri_kind_word(kind), "label", given.extra, true);
    }
  }
  int limits = 0;
  if (policy.limited) {
    // The job's name and the option, as the host reads them.
    lua_pushvalue(L, 1);
    lua_pushliteral(L, "limit");
    lua_rawget(L, given.extra);
    limits = lua_gettop(L);
    jri_push_host_text(L, jri_kind_word(kind), limits - 1, limits);
    limits = lua_gettop(L);
  }
  jri_definition *definition = jri_add_definition(L, kind);
  const int record = lua_gettop(L);
  definition->policy = policy;
  if (limits != 0) {
    lua_pushvalue(L, limits);
    lua_setiuservalue(L, record, JRI_DEFINITION_TEXT);
  }
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, record, JRI_DEFINITION_NAME);
  if (given.extra != 0 && kind != JRI_JOB) {
    lua_pushvalue(L, given.extra);
    lua_setiuservalue(L, record, JRI_DEFINITION_LABEL);
  }
  if (policy.backoff == JR_BACKOFF_FUNCTION) {
    lua_pushliteral(L, "backoff");
    lua_rawget(L, given.extra);
    lua_setiuservalue(L, record, JRI_DEFINITION_BACKOFF);
  }
  if (given.function != 0) {
    set_function(L, record, given.function);
    return 0;
  }
  lua_pushvalue(L, record);
  lua_pushcclosure(L, complete, 1);
  return 1;
}

/// `job` is a table, for what it says of the job that runs.
static int call_job(lua_State *L) {
  lua_remove(L, 1);
  return define(L, JRI_JOB);
}

static int define_callback(lua_State *L) { return define(L, JRI_CALLBACK); }
static int define_errback(lua_State *L) { return define(L, JRI_ERRBACK); }

void jri_open_definitions(lua_State *L) {
  jr_state *state = jri_state(L);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, call_job);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  lua_setglobal(L, jri_kind_word(JRI_JOB));
  lua_register(L, jri_kind_word(JRI_CALLBACK), define_callback);
  lua_register(L, jri_kind_word(JRI_ERRBACK), define_errback);
  lua_newtable(L);
  state->jobs = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_newtable(L);
  state->files = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 0);
  state->pending = luaL_ref(L, LUA_REGISTRYINDEX);
}
