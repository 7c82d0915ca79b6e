#include <stdlib.h>

#include "json.h"
#include "utf8.h"

/// Members of an object, and elements of an array, that wait on the Lua stack until the table's size is known: most
/// tables are smaller, and are then made once, with nothing to spare.
enum { GATHERED_MEMBERS = 8, GATHERED_ELEMENTS = 32 };

typedef struct {
  lua_State *L;
  const char *begin;
  const char *next;
  const char *end;
  const char *what;
  bool *invalid;
  int depth;
} decoder;

static _Noreturn void fail(decoder *d, const char *at, const char *expected) {
  if (d->invalid != NULL) *d->invalid = true;
  luaL_error(d->L, "%s%sinvalid JSON at byte %I: %s", d->what, *d->what != 0 ? ": " : "",
             (LUAI_UACINT)(at - d->begin), expected);
  abort();
}

static inline void skip_space(decoder *d) {
  while (d->next < d->end && (*d->next == ' ' || *d->next == '\n' || *d->next == '\t' || *d->next == '\r')) d->next++;
}

static inline bool next_is(const decoder *d, char byte) { return d->next < d->end && *d->next == byte; }

/// Finds the quote that ends the string, checking all that the bytes themselves can tell.
static const char *end_of_string(decoder *d, const char *from, bool *escaped) {
  const unsigned char *next = (const unsigned char *)from, *end = (const unsigned char *)d->end;
  for (;;) {
    next = jri_utf8_plain(next, end);
    if (next == end) fail(d, d->end, "expected '\"' at the end of the string");
    if (*next == '"') return (const char *)next;
    if (*next == '\\') {
      *escaped = true;
      next += end - next > 1 ? 2 : 1;
    } else if (*next < 0x20) {
      fail(d, (const char *)next, "expected no control character in a string");
    } else {
      size_t sequence = jri_utf8_sequence(next, end);
      if (sequence == 0) fail(d, (const char *)next, "expected valid UTF-8");
      next += sequence;
    }
  }
}

/// The four digits after `\u`; `at` is the backslash.
static unsigned hexadecimal(decoder *d, const char *at, const char *end) {
  unsigned value = 0;
  if (end - at < 6) fail(d, at, "expected four hexadecimal digits after \\u");
  for (int i = 2; i < 6; i++) {
    char byte = at[i];
    unsigned digit;
    if (byte >= '0' && byte <= '9') {
      digit = (unsigned)(byte - '0');
    } else if (byte >= 'a' && byte <= 'f') {
      digit = (unsigned)(byte - 'a') + 10;
    } else if (byte >= 'A' && byte <= 'F') {
      digit = (unsigned)(byte - 'A') + 10;
    } else {
      fail(d, at, "expected four hexadecimal digits after \\u");
    }
    value = value << 4 | digit;
  }
  return value;
}

static char *add_code_point(char *out, unsigned code) {
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xC0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = (char)(0xE0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    *out++ = (char)(0x80 | (code & 0x3F));
  } else {
    *out++ = (char)(0xF0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3F));
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    *out++ = (char)(0x80 | (code & 0x3F));
  }
  return out;
}

/// Resolves the escape at `*next`, which is a backslash, and moves behind it.
static char *resolve_escape(decoder *d, const char **next, const char *end, char *out) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *at = *next, *name = memchr(names, at[1], sizeof names - 1);
  if (name != NULL) {
    *next = at + 2;
    *out++ = values[name - names];
    return out;
  }
  if (at[1] != 'u') fail(d, at, "expected a valid escape");
  unsigned code = hexadecimal(d, at, end);
  *next = at + 6;
  if (code >= 0xDC00 && code <= 0xDFFF) fail(d, at, "expected no lone low surrogate");
  if (code >= 0xD800 && code <= 0xDBFF) {
    const char *second = at + 6;
    if (end - second < 2 || second[0] != '\\' || second[1] != 'u') fail(d, at, "expected a low surrogate after this one");
    unsigned low = hexadecimal(d, second, end);
    if (low < 0xDC00 || low > 0xDFFF) fail(d, at, "expected a low surrogate after this one");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    *next = second + 6;
  }
  return add_code_point(out, code);
}

static void push_escaped(decoder *d, const char *begin, const char *end) {
  jri_buffer *buffer = &jri_state(d->L)->scratch;
  jri_buffer_reset(buffer);
  // An escape is never shorter than what it stands for.
  if (!jri_buffer_reserve(buffer, (size_t)(end - begin))) {
    lua_gc(d->L, LUA_GCCOLLECT);
    jri_buffer_reset(buffer);
    if (!jri_buffer_reserve(buffer, (size_t)(end - begin))) jri_raise_memory(d->L);
  }
  char *out = buffer->bytes;
  for (const char *next = begin; next < end;) {
    const char *backslash = memchr(next, '\\', (size_t)(end - next));
    size_t clean = (size_t)((backslash != NULL ? backslash : end) - next);
    memcpy(out, next, clean);
    out += clean;
    next += clean;
    if (backslash != NULL) out = resolve_escape(d, &next, end, out);
  }
  lua_pushlstring(d->L, buffer->bytes, (size_t)(out - buffer->bytes));
}

/// Pushes the string whose opening quote is next.
static void decode_string(decoder *d) {
  const char *begin = d->next + 1;
  bool escaped = false;
  const char *end = end_of_string(d, begin, &escaped);
  if (escaped) {
    push_escaped(d, begin, end);
  } else {
    lua_pushlstring(d->L, begin, (size_t)(end - begin));
  }
  d->next = end + 1;
}

static void decode_value(decoder *d);

static void enter(decoder *d, int slots) {
  if (++d->depth > JRI_JSON_DEPTH) fail(d, d->next, "expected at most 128 levels of nesting");
  luaL_checkstack(d->L, slots, "too many nested JSON values");
  d->next++;
  skip_space(d);
}

/// Replaces the gathered keys and values, which start at `base`, by a table of them. In their order: the last of two
/// equal keys wins.
static void make_object(lua_State *L, int base, int gathered, int expected) {
  lua_createtable(L, 0, expected);
  int table = lua_gettop(L);
  for (int i = 0; i < gathered; i++) {
    lua_pushvalue(L, base + 2 * i);
    lua_pushvalue(L, base + 2 * i + 1);
    lua_rawset(L, table);
  }
  lua_replace(L, base);
  lua_settop(L, base);
}

static void decode_object(decoder *d) {
  lua_State *L = d->L;
  enter(d, 2 * GATHERED_MEMBERS + 6);
  int base = lua_gettop(L) + 1, gathered = 0;
  bool made = false;
  if (next_is(d, '}')) {
    d->next++;
    d->depth--;
    lua_createtable(L, 0, 0);
    return;
  }
  for (;;) {
    if (!next_is(d, '"')) fail(d, d->next, gathered == 0 && !made ? "expected a key or '}'" : "expected a key");
    decode_string(d);
    skip_space(d);
    if (!next_is(d, ':')) fail(d, d->next, "expected ':' after the key");
    d->next++;
    skip_space(d);
    decode_value(d);
    if (made) {
      lua_rawset(L, base);
    } else if (++gathered == GATHERED_MEMBERS) {
      make_object(L, base, gathered, 2 * GATHERED_MEMBERS);
      made = true;
    }
    skip_space(d);
    if (!next_is(d, ',')) break;
    d->next++;
    skip_space(d);
  }
  if (!next_is(d, '}')) fail(d, d->next, "expected ',' or '}' after the value");
  d->next++;
  d->depth--;
  if (!made) make_object(L, base, gathered, gathered);
}

static void make_array(lua_State *L, int base, int gathered) {
  lua_createtable(L, gathered, 0);
  lua_insert(L, base);
  for (int i = gathered; i > 0; i--) lua_rawseti(L, base, i);
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->array_metatable);
  lua_setmetatable(L, base);
}

static void decode_array(decoder *d) {
  lua_State *L = d->L;
  enter(d, GATHERED_ELEMENTS + 6);
  int base = lua_gettop(L) + 1;
  lua_Integer count = 0;
  if (next_is(d, ']')) {
    d->next++;
    d->depth--;
    make_array(L, base, 0);
    return;
  }
  for (;;) {
    decode_value(d);
    count++;
    if (count > GATHERED_ELEMENTS) {
      lua_rawseti(L, base, count);
    } else if (count == GATHERED_ELEMENTS) {
      make_array(L, base, GATHERED_ELEMENTS);
    }
    skip_space(d);
    if (!next_is(d, ',')) break;
    d->next++;
    skip_space(d);
  }
  if (!next_is(d, ']')) fail(d, d->next, "expected ',' or ']' after the value");
  d->next++;
  d->depth--;
  if (count < GATHERED_ELEMENTS) make_array(L, base, (int)count);
}

static bool skip_word(decoder *d, const char *word, size_t length) {
  if ((size_t)(d->end - d->next) < length || memcmp(d->next, word, length) != 0) return false;
  d->next += length;
  return true;
}

/// Pushes the value that is next; space before it has been skipped.
static void decode_value(decoder *d) {
  char first = d->next < d->end ? *d->next : 0;
  switch (first) {
    case '{': decode_object(d); return;
    case '[': decode_array(d); return;
    case '"': decode_string(d); return;
    case 't':
      if (!skip_word(d, "true", 4)) break;
      lua_pushboolean(d->L, 1);
      return;
    case 'f':
      if (!skip_word(d, "false", 5)) break;
      lua_pushboolean(d->L, 0);
      return;
    case 'n':
      if (!skip_word(d, "null", 4)) break;
      lua_pushlightuserdata(d->L, NULL);
      return;
    default: {
      if (first != '-' && (first < '0' || first > '9')) break;
      const char *expected = jri_json_push_number(d->L, &d->next, d->end);
      if (expected != NULL) fail(d, d->next, expected);
      return;
    }
  }
  fail(d, d->next, "expected a value");
}

void jri_json_decode(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid) {
  decoder d = {.L = L, .begin = bytes, .next = bytes, .end = bytes + length, .what = what, .invalid = invalid};
  luaL_checkstack(L, 8, "too many nested JSON values");
  skip_space(&d);
  decode_value(&d);
  skip_space(&d);
  if (d.next != d.end) fail(&d, d.next, "expected nothing after the value");
}

void jri_json_decode_object(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid) {
  jri_json_decode(L, bytes, length, what, invalid);
  if (lua_istable(L, -1) && !jri_json_is_array(L, -1)) return;
  if (invalid != NULL) *invalid = true;
  luaL_error(L, "%s must be a JSON object", what);
}
