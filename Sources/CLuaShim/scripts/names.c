#include "scripts/names.h"

#include "base/utf8.h"
#include "runtime/places.h"

enum { LONGEST_NAME = 255 };

void jri_check_text(lua_State *L, const char *word, const char *what, int index, bool spaces) {
  size_t length;
  if (lua_type(L, index) != LUA_TSTRING) {
    jri_raise(L, "%s: the %s must be a non-empty string, got %s", word, what, luaL_typename(L, index));
  }
  const char *text = lua_tolstring(L, index, &length);
  if (length == 0) jri_raise(L, "%s: the %s must be a non-empty string, got an empty one", word, what);
  if (length > LONGEST_NAME) jri_raise(L, "%s: the %s must have at most %d bytes", word, what, LONGEST_NAME);
  if (!jri_utf8_valid(text, length)) jri_raise(L, "%s: the %s must be valid UTF-8", word, what);
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    bool control = byte < 0x20 || byte == 0x7F || (byte == 0xC2 && (unsigned char)text[i + 1] < 0xA0);
    if (control || (byte == ' ' && !spaces)) {
      jri_raise(L, "%s: the %s must not contain %scontrol characters", word, what, spaces ? "" : "spaces or ");
    }
  }
}
