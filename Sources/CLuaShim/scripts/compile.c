#include "scripts/compile.h"

#include "runtime/errors.h"
#include "runtime/interruption.h"
#include "scripts/aside.h"

typedef struct {
  jr_state *state;
  const char *name;
  const char *source;
  size_t length;
} text;

/// Skips what may stand before Lua text: a byte order mark, and a first line for the shell. Its line end stays, so that
/// line numbers do too.
static void skip_preamble(text *t) {
  if (t->length >= 3 && memcmp(t->source, "\xEF\xBB\xBF", 3) == 0) {
    t->source += 3;
    t->length -= 3;
  }
  if (t->length < 2 || memcmp(t->source, "#!", 2) != 0) return;
  const char *line_end = memchr(t->source, '\n', t->length);
  size_t skipped = line_end != NULL ? (size_t)(line_end - t->source) : t->length;
  t->source += skipped;
  t->length -= skipped;
}

void jri_compile(lua_State *L, const char *name, const char *source, size_t length) {
  text t = {.name = name, .source = source, .length = length};
  skip_preamble(&t);
  if (t.length > 0 && t.source[0] == LUA_SIGNATURE[0]) {
    lua_pushfstring(L, "%s:1: this is compiled Lua: only source text is loaded", name);
    lua_error(L);
  }
  const char *chunk_name = lua_pushfstring(L, "@%s", name);
  if (luaL_loadbufferx(L, t.source, t.length, chunk_name, "t") != LUA_OK) lua_error(L);
  lua_remove(L, -2);
}

static int write_chunk(lua_State *L, const void *bytes, size_t length, void *buffer) {
  (void)L;
  jri_buffer_add(buffer, bytes, length);
  return ((jri_buffer *)buffer)->failed;
}

static int compile(lua_State *L) {
  const text *t = lua_touserdata(L, 1);
  jri_compile(L, t->name, t->source, t->length);
  // Lua allocates nothing while it dumps, so no finalizer of a script gets to use the buffer meanwhile.
  jri_buffer_reset(&t->state->scratch);
  if (lua_dump(L, write_chunk, &t->state->scratch, 0) != 0) jri_raise_memory(L);
  return 0;
}

bool jr_compile(jr_state *state, const char *name, const char *source, size_t length, jr_bytes *out) {
  lua_State *L = state->lua;
  text t = {.state = state, .name = name, .source = source, .length = length};
  jri_begin(state);
  jri_begin_aside(state);
  lua_pushcfunction(L, compile);
  lua_pushlightuserdata(L, &t);
  bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
  *out = good ? jri_buffer_bytes(&state->scratch) : jri_describe_unprotected(state, &state->message);
  jri_end_aside(state, "a script was compiled");
  jri_end(state);
  return good;
}

typedef struct {
  void *context;
  jr_global_function visit;
  bool *open;
} listing;

/// Hands over the keys of the table at 2.
static int list_names(lua_State *L, const listing *request) {
  lua_settop(L, 2);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    size_t length;
    const char *name = lua_tolstring(L, -1, &length);
    request->visit(request->context, name, length);
  }
  return 0;
}

static int list_globals(lua_State *L) {
  const listing *request = lua_touserdata(L, 1);
  lua_pushglobaltable(L);
  *request->open = luaL_getmetafield(L, -1, "__index") != LUA_TNIL;
  return list_names(L, request);
}

static int list_modules(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  return list_names(L, lua_touserdata(L, 1));
}

static bool list_with(jr_state *state, lua_CFunction function, listing *request) {
  return jri_call_aside(state, function, request, "globals were listed");
}

bool jr_list_globals(jr_state *state, void *context, jr_global_function visit, bool *open) {
  return list_with(state, list_globals, &(listing){.context = context, .visit = visit, .open = open});
}

bool jr_list_modules(jr_state *state, void *context, jr_global_function visit) {
  return list_with(state, list_modules, &(listing){.context = context, .visit = visit});
}
