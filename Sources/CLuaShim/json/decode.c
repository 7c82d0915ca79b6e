#include "json/decode.h"

#include "json/decoder.h"
#include "json/json.h"
#include "json/number.h"
#include "json/string.h"

/// Members of an object, and elements of an array, that wait on the Lua stack until the table's size is known: most
/// tables are smaller, and are then made once, with nothing to spare.
enum { GATHERED_MEMBERS = 8, GATHERED_ELEMENTS = 32 };

static inline void skip_space(jri_decoder *d) {
  while (d->next < d->end && (*d->next == ' ' || *d->next == '\n' || *d->next == '\t' || *d->next == '\r')) d->next++;
}

static inline bool next_is(const jri_decoder *d, char byte) { return d->next < d->end && *d->next == byte; }

static void decode_value(jri_decoder *d);

static void enter(jri_decoder *d, int slots) {
  if (++d->depth > JRI_JSON_DEPTH) jri_json_fail(d, d->next, "expected at most 128 levels of nesting");
  if (!lua_checkstack(d->L, slots)) jri_raise_memory(d->L);
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

static void decode_object(jri_decoder *d) {
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
    if (!next_is(d, '"')) jri_json_fail(d, d->next, gathered == 0 ? "expected a key or '}'" : "expected a key");
    jri_json_push_string(d);
    skip_space(d);
    if (!next_is(d, ':')) jri_json_fail(d, d->next, "expected ':' after the key");
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
  if (!next_is(d, '}')) jri_json_fail(d, d->next, "expected ',' or '}' after the value");
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

static void decode_array(jri_decoder *d) {
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
  if (!next_is(d, ']')) jri_json_fail(d, d->next, "expected ',' or ']' after the value");
  d->next++;
  d->depth--;
  if (count < GATHERED_ELEMENTS) make_array(L, base, (int)count);
}

static bool skip_word(jri_decoder *d, const char *word, size_t length) {
  if ((size_t)(d->end - d->next) < length || memcmp(d->next, word, length) != 0) return false;
  d->next += length;
  return true;
}

/// Pushes the value that is next; space before it has been skipped.
static void decode_value(jri_decoder *d) {
  char first = d->next < d->end ? *d->next : 0;
  switch (first) {
    case '{': decode_object(d); return;
    case '[': decode_array(d); return;
    case '"': jri_json_push_string(d); return;
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
      if (expected != NULL) jri_json_fail(d, d->next, expected);
      return;
    }
  }
  jri_json_fail(d, d->next, "expected a value");
}

void jri_json_decode(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid) {
  jri_decoder d = {.L = L, .begin = bytes, .next = bytes, .end = bytes + length, .what = what, .invalid = invalid};
  if (!lua_checkstack(L, 8)) jri_raise_memory(L);
  skip_space(&d);
  decode_value(&d);
  skip_space(&d);
  if (d.next != d.end) jri_json_fail(&d, d.next, "expected nothing after the value");
}

void jri_json_decode_object(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid) {
  jri_json_decode(L, bytes, length, what, invalid);
  if (lua_istable(L, -1) && !jri_json_is_array(L, -1)) return;
  if (invalid != NULL) *invalid = true;
  luaL_error(L, "%s must be a JSON object", what);
}
