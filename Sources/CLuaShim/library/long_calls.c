// The functions of the standard library that wait for something outside of Lua, or may be long in coming to an end.
#include <string.h>
#include <sys/stat.h>

#include "library/library.h"
#include "runtime/sites.h"

// Upvalues of each: Lua's own function, its name. It is called as if Lua did: it has no upvalues of its own, and finds
// its arguments where they are.
enum { OWN = 1, NAME };

static int call_own(lua_State *L) {
  jri_begin_call(L, lua_touserdata(L, lua_upvalueindex(NAME)));
  int results = lua_tocfunction(L, lua_upvalueindex(OWN))(L);
  jri_end_call(&jri_state(L)->call);
  return results;
}

static int call_unnoted(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(OWN))(L); }

/// Whether to match the text may take long. Each repetition in the pattern, and the place to begin at, may take any
/// length of the text; each `?` is there or not.
static bool may_match_long(lua_State *L) {
  enum { LONGEST = 24 };  // as a power of two: a tenth of a second
  size_t text, length;
  lua_tolstring(L, 1, &text);
  const char *pattern = lua_tolstring(L, 2, &length);
  size_t bits = 1, choices = 0, repetitions = 1;
  for (size_t rest = text; rest > 0; rest >>= 1) bits++;
  for (size_t i = 0; pattern != NULL && i < length; i++) {
    switch (pattern[i]) {
      case '*':
      case '+':
      case '-': repetitions++; break;
      case '?': choices++; break;
      case 'b': repetitions += i > 0 && pattern[i - 1] == '%'; break;
      default: break;
    }
  }
  return bits * repetitions + choices > LONGEST;
}

static bool are_texts(lua_State *L) { return lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING; }

/// `find`, `match` and `gsub`.
static int call_matching(lua_State *L) { return are_texts(L) && may_match_long(L) ? call_own(L) : call_unnoted(L); }

/// An iterator that the library made: it has upvalues.
static int iterate(lua_State *L) {
  jri_begin_call(L, lua_touserdata(L, lua_upvalueindex(NAME)));
  lua_pushvalue(L, lua_upvalueindex(OWN));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  jri_end_call(&jri_state(L)->call);
  return lua_gettop(L);
}

/// Puts such a function in the place of the iterator at the index.
static void note_iterations(lua_State *L, int index) {
  lua_pushvalue(L, index);
  lua_pushvalue(L, lua_upvalueindex(NAME));
  lua_pushcclosure(L, iterate, 2);
  lua_replace(L, index);
}

static int call_gmatch(lua_State *L) {
  bool is_long = are_texts(L) && may_match_long(L);
  int results = call_unnoted(L);
  if (is_long) note_iterations(L, lua_gettop(L) - results + 1);
  return results;
}

/// Whether a read may have to wait: not of a plain file.
static bool may_wait(lua_State *L, int index) {
  const luaL_Stream *stream = luaL_testudata(L, index, LUA_FILEHANDLE);
  struct stat about;
  if (stream == NULL || stream->closef == NULL) return true;
  return fstat(fileno(stream->f), &about) != 0 || !S_ISREG(about.st_mode);
}

/// `io.lines`, which may open a file, and `file:lines`.
static int call_lines(lua_State *L) {
  bool waits = luaL_testudata(L, 1, LUA_FILEHANDLE) == NULL || may_wait(L, 1);
  int results = call_own(L);
  if (waits && (results < 4 || may_wait(L, -1))) note_iterations(L, lua_gettop(L) - results + 1);
  return results;
}

/// A table is moved by as many steps as the script says.
static int call_move(lua_State *L) {
  enum { MANY = 100000 };
  bool is_long = lua_isinteger(L, 2) && lua_isinteger(L, 3) &&
                 (lua_Unsigned)lua_tointeger(L, 3) - (lua_Unsigned)lua_tointeger(L, 2) > MANY;
  return is_long ? call_own(L) : call_unnoted(L);
}

static int call_sort(lua_State *L) {
  enum { MANY = 10000 };
  return lua_rawlen(L, 1) > MANY ? call_own(L) : call_unnoted(L);
}

typedef struct {
  const char *name;  // with that of its library before a point; of a method of files behind a colon
  lua_CFunction function;
} noted;

/// The library is at the top.
static void note_function(lua_State *L, const char *field, const noted *n) {
  lua_getfield(L, -1, field);
  if (!lua_iscfunction(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_pushlightuserdata(L, (void *)n->name);
  lua_pushcclosure(L, n->function, 2);
  lua_setfield(L, -2, field);
}

void jri_open_long_calls(lua_State *L) {
  static const noted functions[] = {
      {"os.execute", call_own},       {"os.remove", call_own},        {"os.rename", call_own},
      {"os.tmpname", call_own},       {"io.open", call_own},          {"io.popen", call_own},
      {"io.close", call_own},         {"io.read", call_own},          {"io.write", call_own},
      {"io.input", call_own},         {"io.output", call_own},        {"io.tmpfile", call_own},
      {"io.lines", call_lines},       {"string.find", call_matching}, {"string.match", call_matching},
      {"string.gsub", call_matching}, {"string.gmatch", call_gmatch}, {"table.move", call_move},
      {"table.sort", call_sort},
  };
  static const noted methods[] = {
      {"file:read", call_own},  {"file:write", call_own}, {"file:close", call_own},
      {"file:flush", call_own}, {"file:seek", call_own},  {"file:lines", call_lines},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    const char *point = strchr(functions[i].name, '.');
    lua_pushlstring(L, functions[i].name, (size_t)(point - functions[i].name));
    lua_pushglobaltable(L);
    lua_insert(L, -2);
    // Not there with the strict sandbox, some of them.
    if (lua_gettable(L, -2) == LUA_TTABLE) note_function(L, point + 1, &functions[i]);
    lua_pop(L, 2);
  }
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_getfield(L, -1, "__index");
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    note_function(L, strchr(methods[i].name, ':') + 1, &methods[i]);
  }
  lua_pop(L, 2);
}
