#include "runtime/errors.h"

#include "json/decode.h"
#include "json/encode.h"
#include "runtime/limits.h"

static int to_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

void jri_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_pushcfunction(L, to_text);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  jr_state *state = jri_state(L);
  const jri_interruption_reason reason = jri_interrupted(state);
  if (state->slice.run != NULL && (reason == JRI_TIMED_OUT || reason == JRI_OVERRAN)) {
    jri_push_limit_error(L, state->slice.run);
    lua_remove(L, -2);
    return;
  }
  // Not by the status: a script may have caught that error and raised it again.
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (reason == JRI_UNINTERRUPTED && strcmp(text, jri_memory_text) == 0) {
    jri_name_limit(L, &jri_state(L)->memory);
    return;
  }
  lua_pop(L, 1);
  lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, index));
}

/// `json` may be NULL.
static void set_text(lua_State *L, int index, jri_buffer *message, jri_buffer *json) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  for (int attempt = 0; attempt < 2; attempt++) {
    jri_buffer_reset(message);
    jri_buffer_add_text(message, text, length);
    if (json != NULL) {
      jri_buffer_reset(json);
      jri_buffer_add_json_text(json, text, length);
    }
    if (!message->failed && (json == NULL || !json->failed)) return;
    // Buffers are not Lua's, so Lua did not collect on their behalf.
    if (attempt == 0) lua_gc(L, LUA_GCCOLLECT);
  }
  jri_raise_memory(L);
}

/// Whether the table says in words what it is.
static bool has_words(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

static bool is_empty(lua_State *L, int index) {
  lua_pushnil(L);
  if (lua_next(L, index) == 0) return true;
  lua_pop(L, 2);
  return false;
}

/// Pushes the field `message` of the table, if that is a string.
static bool push_message(lua_State *L, int index) {
  lua_pushliteral(L, "message");
  if (lua_rawget(L, index) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/// A table that can be stored: pushes a copy of it, and fills the buffers. One that holds nothing but its words is no
/// such one.
static bool describe_table(lua_State *L, int index, jri_buffer *message, jri_buffer *json) {
  static const jri_json_options options = {.root = "error", .object_without = NULL, .repairs = true};
  jri_json_failure failure;
  bool words = has_words(L, index);
  if (words && is_empty(L, index)) return false;
  lua_pushvalue(L, index);
  bool good = jri_json_encode_collecting(L, json, &options, &failure);
  lua_pop(L, 1);
  if (!good && failure.problem == NULL) jri_raise_memory(L);
  if (!good) return false;
  if (!push_message(L, index)) {
    if (words) {
      jri_push_text(L, index);
    } else {
      lua_pushlstring(L, json->bytes, json->length);
    }
  }
  set_text(L, -1, message, NULL);
  lua_pop(L, 1);
  jri_json_decode(L, json->bytes, json->length, "error", NULL);
  return true;
}

void jri_describe_error(lua_State *L, int index, jri_buffer *message, jri_buffer *json) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TTABLE && describe_table(L, index, message, json)) return;
  if (lua_type(L, index) == LUA_TSTRING) {
    lua_pushvalue(L, index);
    jri_name_limit(L, &jri_state(L)->memory);
  } else if (lua_type(L, index) != LUA_TTABLE || !push_message(L, index)) {
    jri_push_text(L, index);
  }
  set_text(L, -1, message, json);
}

static int describe(lua_State *L) {
  jri_describe_error(L, 2, lua_touserdata(L, 1), &jri_state(L)->error);
  return 0;
}

jr_bytes jri_describe_unprotected(jr_state *state, jri_buffer *message) {
  lua_State *L = state->lua;
  lua_pushcfunction(L, describe);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, message);
  lua_insert(L, -2);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return jri_buffer_bytes(message);
  lua_pop(L, 1);
  const char *text = jri_memory_text_of(&state->memory);
  return (jr_bytes){.bytes = text, .length = strlen(text)};
}
