// The values go to the host as one JSON array, in the scratch buffer; between the encoding and the host's return
// nothing allocates Lua memory.
#include "scripts/host_text.h"

#include "json/encode.h"
#include "runtime/places.h"

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

void jri_push_host_text(lua_State *L, const char *word, int first, int last) {
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
