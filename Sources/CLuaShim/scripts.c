#include "compile.h"
#include "definitions.h"
#include "errors.h"

typedef struct {
  jr_state *state;
  const char *name;
  const char *source;
  size_t length;
} script;

static int handle(lua_State *L) {
  // From 2: without this function and the protected one that walks the stack.
  jri_keep_traceback(L, L, 2, &jri_state(L)->traceback);
  lua_settop(L, 1);
  return 1;
}

/// Raises the first `job 'name'` that was never called with its function. The list is at `list`.
static void require_complete(lua_State *L, int list) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, list, i);
    const jri_definition *definition = lua_touserdata(L, -1);
    if (lua_getiuservalue(L, -1, JRI_DEFINITION_FUNCTION) == LUA_TNIL) {
      lua_getiuservalue(L, -2, JRI_DEFINITION_FILE);
      lua_getiuservalue(L, -3, JRI_DEFINITION_NAME);
      const char *word = jri_kind_word(definition->kind), *name = lua_tostring(L, -1);
      lua_pushfstring(L, "%s:%d: %s '%s' has no function: write %s '%s' (function(args) ... end)", lua_tostring(L, -2),
                      definition->line, word, name, word, name);
      lua_error(L);
    }
    lua_pop(L, 2);
  }
}

static int load(lua_State *L) {
  script *s = lua_touserdata(L, 1);
  jr_state *state = s->state;
  lua_newtable(L);
  int list = lua_gettop(L);
  lua_pushvalue(L, list);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);

  lua_pushcfunction(L, handle);
  jri_compile(L, s->name, s->source, s->length);
  if (lua_pcall(L, 0, 0, -2) != LUA_OK) return lua_error(L);
  require_complete(L, list);

  // One assignment commits the file: it either happens whole or not at all.
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->files);
  lua_pushvalue(L, list);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  return 0;
}

bool jr_load_script(jr_state *state, const char *name, const char *source, size_t length, jr_bytes *error) {
  lua_State *L = state->lua;
  script s = {.state = state, .name = name, .source = source, .length = length};
  jri_begin(state);
  state->loading = true;
  lua_pushcfunction(L, load);
  lua_pushlightuserdata(L, &s);
  int status = lua_pcall(L, 1, 0, 0);
  state->loading = false;
  *error = (jr_bytes){NULL, 0};
  if (status != LUA_OK) {
    *error = jri_describe_unprotected(state, &state->message);
    jri_buffer *message = &state->message, *traceback = &state->traceback;
    if (error->bytes == message->bytes && traceback->length > 0) {
      // The text alone is worth more than nothing when there is no room for both.
      if (jri_buffer_reserve(message, traceback->length + 1)) {
        jri_buffer_add_byte(message, '\n');
        jri_buffer_add(message, traceback->bytes, traceback->length);
      }
      *error = jri_buffer_bytes(message);
    }
  }
  // Nothing of the file stays: the slot exists, so this allocates nothing.
  lua_pushboolean(L, 0);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);
  jri_end(state);
  return status == LUA_OK;
}
