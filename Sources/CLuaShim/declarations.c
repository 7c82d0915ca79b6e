// `schedule` and `limit` of a script, and the limits of a job. The host alone reads what they are called with: it goes there as one
// JSON array, in the scratch buffer; between the encoding and the host's return nothing allocates Lua memory.
#include "definitions.h"
#include "environment.h"
#include "errors.h"
#include "json.h"

/// Pushes a list of the values, in which null stands for nil.
static void push_list(lua_State *L, int first, int last) {
  lua_createtable(L, last - first + 1, 0);
  for (int i = first; i <= last; i++) {
    if (lua_isnil(L, i)) {
      lua_pushlightuserdata(L, NULL);
    } else {
      lua_pushvalue(L, i);
    }
    lua_rawseti(L, -2, i - first + 1);
  }
}

void jri_push_declaration(lua_State *L, const char *word, int first, int last) {
  jr_state *state = jri_state(L);
  const jri_json_options options = {.root = "argument"};
  jri_json_failure failure;
  push_list(L, first, last);
  if (!jri_json_encode_collecting(L, &state->scratch, &options, &failure)) {
    if (failure.problem == NULL) jri_raise_memory(L);
    jri_raise(L, "%s: %s: %s", word, failure.path, failure.problem);
  }
  lua_pop(L, 1);
  jr_bytes reply = jri_buffer_bytes(&state->scratch);
  bool good = true;
  if (state->host.declare != NULL) {
    good = state->host.declare(state->host.context, word, reply.bytes, reply.length, &reply);
  }
  lua_pushlstring(L, reply.bytes != NULL ? reply.bytes : "", reply.length);
  if (!good) jri_raise(L, "%s: %s", word, lua_tostring(L, -1));
}

static int declare(lua_State *L, jri_kind kind) {
  const char *word = jri_kind_word(kind);
  jri_require_loading(L, word);
  const int count = lua_gettop(L);
  luaL_checkstack(L, 12, word);
  jri_push_declaration(L, word, 1, count);
  jri_add_definition(L, kind);
  lua_pushvalue(L, count + 1);
  lua_setiuservalue(L, count + 2, JRI_DEFINITION_TEXT);
  return 0;
}

static int declare_schedule(lua_State *L) { return declare(L, JRI_SCHEDULE); }
static int declare_limit(lua_State *L) { return declare(L, JRI_LIMIT); }

void jri_open_declarations(lua_State *L) {
  lua_register(L, jri_kind_word(JRI_SCHEDULE), declare_schedule);
  lua_register(L, jri_kind_word(JRI_LIMIT), declare_limit);
}
