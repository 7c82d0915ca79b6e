#include "runtime/places.h"

#include <stdarg.h>

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
