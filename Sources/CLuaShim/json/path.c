#include "json/path.h"

#include <stdio.h>

#include "base/utf8.h"

enum { LONGEST_KEY = 48 };

typedef struct {
  char *bytes;
  size_t length;
  size_t capacity;
} path;

static bool add(path *p, const char *bytes, size_t length) {
  if (p->capacity - p->length <= length) return false;
  memcpy(p->bytes + p->length, bytes, length);
  p->length += length;
  return true;
}

static bool add_text(path *p, const char *text) { return add(p, text, strlen(text)); }

static bool is_word(const char *bytes, size_t length) {
  if (length == 0 || (bytes[0] >= '0' && bytes[0] <= '9')) return false;
  for (size_t i = 0; i < length; i++) {
    char byte = bytes[i];
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    if (!letter && byte != '_' && !(byte >= '0' && byte <= '9')) return false;
  }
  return true;
}

static bool add_escaped(path *p, const char *bytes, size_t length) {
  static const char hexadecimal[] = "0123456789ABCDEF";
  const unsigned char *next = (const unsigned char *)bytes, *end = next + length;
  while (next < end) {
    size_t sequence = jri_utf8_sequence(next, end);
    bool shown = sequence > 1 || (sequence == 1 && jri_utf8_is_plain(*next));
    char escape[4] = {'\\', 'x', hexadecimal[*next >> 4], hexadecimal[*next & 15]};
    if (!(shown ? add(p, (const char *)next, sequence) : add(p, escape, 4))) return false;
    next += shown ? sequence : 1;
  }
  return true;
}

static bool add_key(path *p, lua_State *L, int index) {
  char digits[32];
  switch (lua_type(L, index)) {
    case LUA_TSTRING: {
      size_t length;
      const char *key = lua_tolstring(L, index, &length);
      size_t shown = length > LONGEST_KEY ? LONGEST_KEY : length;
      if (is_word(key, length) && shown == length) return add_text(p, ".") && add(p, key, length);
      return add_text(p, "[\"") && add_escaped(p, key, shown) && add_text(p, shown < length ? "...\"]" : "\"]");
    }
    case LUA_TNUMBER:
      if (!lua_isinteger(L, index)) return add_text(p, "[number]");
      snprintf(digits, sizeof digits, "[%lld]", (long long)lua_tointeger(L, index));
      return add_text(p, digits);
    default: return add_text(p, "[") && add_text(p, luaL_typename(L, index)) && add_text(p, "]");
  }
}

void jri_json_write_path(lua_State *L, const char *root, int first, int levels, char *bytes, size_t capacity) {
  static const char more[] = "...";
  path p = {.bytes = bytes, .length = 0, .capacity = capacity - sizeof more};
  bool whole = add_text(&p, root);
  for (int level = 0; whole && level < levels; level++) {
    size_t before = p.length;
    whole = add_key(&p, L, first + 2 * level);
    if (!whole) p.length = before;
  }
  if (!whole) {
    memcpy(p.bytes + p.length, more, sizeof more - 1);
    p.length += sizeof more - 1;
  }
  p.bytes[p.length] = 0;
}
