#include "runtime/errors.h"

#include <stdarg.h>
#include <stdlib.h>

#include "json/decode.h"
#include "json/encode.h"
#include "runtime/phases.h"

static int to_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

void jri_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  const int top = lua_gettop(L);
  lua_pushcfunction(L, to_text);
  lua_pushvalue(L, index);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  jr_state *state = jri_state(L);
  const jri_interruption_reason reason = jri_interrupted(state);
  if (state->current != NULL && (reason == JRI_TIMED_OUT || reason == JRI_OVERRAN)) {
    // May push what it makes the text of, too.
    jri_interrupted_step(L, state->current);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
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

// MARK: Places

bool jri_is_script(lua_State *L, lua_Debug *frame) {
  return lua_getinfo(L, "Sl", frame) && frame->currentline > 0 && frame->source[0] != '=';
}

static void push_place_in(lua_State *L, lua_State *thread) {
  lua_Debug frame;
  for (int level = 0; lua_getstack(thread, level, &frame); level++) {
    if (!jri_is_script(thread, &frame)) continue;
    lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
    return;
  }
  lua_pushliteral(L, "");
}

void jri_push_place(lua_State *L) { push_place_in(L, L); }

static bool is_word_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

size_t jri_library_place(const char *text, size_t length) {
  size_t at = 1;
  if (length == 0 || text[0] != '[') return 0;
  while (at < length && is_word_byte(text[at])) at++;
  if (at == 1 || length - at < 2 || text[at] != ']' || text[at + 1] != ':') return 0;
  const size_t line = at += 2;
  while (at < length && text[at] >= '0' && text[at] <= '9') at++;
  if (at == line || length - at < 2 || text[at] != ':' || text[at + 1] != ' ') return 0;
  return at + 2;
}

bool jri_place_error(lua_State *L, lua_State *thread) {
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING) return false;
  const char *text = lua_tolstring(L, -1, &length);
  const size_t place = jri_library_place(text, length);
  if (place == 0) return false;
  push_place_in(L, thread);
  lua_pushlstring(L, text + place, length - place);
  lua_concat(L, 2);
  lua_remove(L, -2);
  return true;
}

void jri_place_thread_error(lua_State *L, lua_State *thread) {
  if (lua_type(thread, -1) != LUA_TSTRING || !lua_checkstack(thread, 2) || !lua_checkstack(L, 4)) return;
  lua_pushvalue(thread, -1);
  lua_xmove(thread, L, 1);
  jri_place_error(L, thread);
  lua_xmove(L, thread, 1);
  lua_remove(thread, -2);
}

int jri_placing_handler(lua_State *L) {
  lua_settop(L, 1);
  jri_place_error(L, L);
  return 1;
}

int jri_raise(lua_State *L, const char *format, ...) {
  jri_push_place(L);
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}
