#include "json/encode.h"

#include <math.h>

#include "json/json.h"
#include "json/number.h"
#include "json/path.h"

// The tables being written lie on the Lua stack at `base`, `base + 2` and so on, each with its current key above it and
// the key's value, perhaps the next table, above that. So a key path needs no record of its own: it is read off the
// stack when there is an error to report.
typedef struct {
  lua_State *L;
  jri_buffer *out;
  const jri_json_options *options;
  jri_json_failure *failure;
  int base;
  int depth;  // tables being written
} encoder;

/// `keys` of the current keys lead to what is wrong.
static bool fail(encoder *e, int keys, const char *problem) {
  e->failure->problem = problem;
  jri_json_write_path(e->L, e->options->root, e->base + 1, keys, e->failure->path, sizeof e->failure->path);
  return false;
}

static bool encode_value(encoder *e);

/// A cycle shows as too much depth; then the shortest path that leads back into itself is named.
static bool fail_depth(encoder *e) {
  for (int inner = 1; inner < e->depth; inner++) {
    const void *table = lua_topointer(e->L, e->base + 2 * inner);
    for (int outer = 0; outer < inner; outer++) {
      if (lua_topointer(e->L, e->base + 2 * outer) == table) {
        return fail(e, inner, "a table that contains itself cannot be stored as JSON");
      }
    }
  }
  return fail(e, e->depth - 1, "a table nested deeper than 128 levels cannot be stored as JSON");
}

/// Says why the keys of the table at `table` fit neither an object nor an array. The stack is as the table found it.
static bool fail_keys(encoder *e, int table, bool marked) {
  lua_State *L = e->L;
  lua_settop(L, table);
  if (e->depth == 1 && e->options->object_without != NULL) {
    return fail(e, 0,
                marked ? "an array cannot be stored where a JSON object is needed"
                       : "a table with number keys cannot be stored where a JSON object is needed");
  }
  if (marked) return fail(e, e->depth - 1, "an array with holes or with keys other than 1..n cannot be stored as JSON");
  bool strings = false, numbers = false;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    int type = lua_type(L, -1);
    strings = strings || type == LUA_TSTRING;
    numbers = numbers || type == LUA_TNUMBER;
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      return fail(e, e->depth - 1, "a table with a key that is neither a string nor a number cannot be stored as JSON");
    }
  }
  if (strings && numbers) {
    return fail(e, e->depth - 1, "a table with both string and number keys cannot be stored as JSON");
  }
  return fail(e, e->depth - 1, "a table with number keys other than 1..n cannot be stored as JSON");
}

static void close_table(jri_buffer *out, char bracket) {
  if (out->failed) return;
  // Every member has left a comma behind.
  if (out->bytes[out->length - 1] == ',') out->length--;
  jri_buffer_add_byte(out, bracket);
}

static bool is_left_out(const encoder *e, const char *key, size_t length) {
  for (const char *const *name = e->options->object_without; *name != NULL; name++) {
    if (strlen(*name) == length && memcmp(*name, key, length) == 0) return true;
  }
  return false;
}

/// False where the string is not UTF-8 and is to be.
static bool add_string(encoder *e, const char *bytes, size_t length) {
  if (!e->options->repairs) return jri_buffer_add_json_string(e->out, bytes, length);
  jri_buffer_add_json_text(e->out, bytes, length);
  return true;
}

/// The first key and value have been pushed.
static bool encode_object(encoder *e, int table) {
  lua_State *L = e->L;
  bool without = e->depth == 1 && e->options->object_without != NULL;
  jri_buffer_add_byte(e->out, '{');
  do {
    if (lua_type(L, -2) != LUA_TSTRING) return fail_keys(e, table, false);
    size_t length;
    const char *key = lua_tolstring(L, -2, &length);
    if (!without || !is_left_out(e, key, length)) {
      if (!add_string(e, key, length)) {
        return fail(e, e->depth, "a key that is not valid UTF-8 cannot be stored as JSON");
      }
      jri_buffer_add_byte(e->out, ':');
      if (!encode_value(e)) return false;
      jri_buffer_add_byte(e->out, ',');
    }
    lua_pop(L, 1);
    if (e->out->failed) return false;
  } while (lua_next(L, table));
  close_table(e->out, '}');
  return true;
}

/// Keys do not come in order, as when an array was filled from its end. Still an array, if they are 1..n; its elements
/// before `next` have been written.
static bool encode_unordered(encoder *e, int table, lua_Integer next, bool marked) {
  lua_State *L = e->L;
  lua_Integer count = 0, largest = 0;
  lua_settop(L, table);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1) return fail_keys(e, table, marked);
    count++;
    if (lua_tointeger(L, -1) > largest) largest = lua_tointeger(L, -1);
  }
  if (largest != count) return fail_keys(e, table, marked);
  for (; next <= count; next++) {
    lua_pushinteger(L, next);
    lua_rawgeti(L, table, next);
    if (!encode_value(e)) return false;
    jri_buffer_add_byte(e->out, ',');
    lua_settop(L, table);
    if (e->out->failed) return false;
  }
  return true;
}

/// The first key and value have been pushed.
static bool encode_array(encoder *e, int table, bool marked) {
  lua_State *L = e->L;
  lua_Integer next = 1;
  jri_buffer_add_byte(e->out, '[');
  do {
    if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) != next) {
      if (!encode_unordered(e, table, next, marked)) return false;
      break;
    }
    if (!encode_value(e)) return false;
    jri_buffer_add_byte(e->out, ',');
    next++;
    lua_pop(L, 1);
    if (e->out->failed) return false;
  } while (lua_next(L, table));
  close_table(e->out, ']');
  return true;
}

static bool encode_table(encoder *e) {
  lua_State *L = e->L;
  int table = lua_gettop(L);
  e->depth++;
  if (e->depth > JRI_JSON_DEPTH) return fail_depth(e);
  if (!lua_checkstack(L, 6)) {
    e->failure->problem = NULL;
    return false;
  }
  bool marked = jri_json_is_array(L, table), object = e->depth == 1 && e->options->object_without != NULL;
  if (marked && object) return fail_keys(e, table, marked);
  lua_pushnil(L);
  bool good = true;
  if (!lua_next(L, table)) {
    jri_buffer_add(e->out, marked ? "[]" : "{}", 2);
  } else if (lua_type(L, -2) == LUA_TSTRING && !marked) {
    good = encode_object(e, table);
  } else if (lua_isinteger(L, -2) && !object) {
    good = encode_array(e, table, marked);
  } else {
    good = fail_keys(e, table, marked);
  }
  e->depth--;
  return good;
}

static bool encode_number(encoder *e) {
  lua_State *L = e->L;
  if (lua_isinteger(L, -1)) {
    jri_json_add_integer(e->out, lua_tointeger(L, -1));
    return true;
  }
  lua_Number value = lua_tonumber(L, -1);
  if (isnan(value)) return fail(e, e->depth, "NaN cannot be stored as JSON");
  if (isinf(value)) return fail(e, e->depth, "an infinite number cannot be stored as JSON");
  jri_json_add_float(e->out, value);
  return true;
}

/// Writes the value at the top of the stack and leaves it there.
static bool encode_value(encoder *e) {
  lua_State *L = e->L;
  switch (lua_type(L, -1)) {
    case LUA_TSTRING: {
      size_t length;
      const char *bytes = lua_tolstring(L, -1, &length);
      if (add_string(e, bytes, length)) return true;
      return fail(e, e->depth, "a string that is not valid UTF-8 cannot be stored as JSON");
    }
    case LUA_TNUMBER: return encode_number(e);
    case LUA_TTABLE: return encode_table(e);
    case LUA_TBOOLEAN:
      if (lua_toboolean(L, -1)) {
        jri_buffer_add(e->out, "true", 4);
      } else {
        jri_buffer_add(e->out, "false", 5);
      }
      return true;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, -1) == NULL) {
        jri_buffer_add(e->out, "null", 4);
        return true;
      }
      return fail(e, e->depth, "userdata cannot be stored as JSON");
    case LUA_TUSERDATA: return fail(e, e->depth, "userdata cannot be stored as JSON");
    case LUA_TFUNCTION: return fail(e, e->depth, "a function cannot be stored as JSON");
    case LUA_TTHREAD: return fail(e, e->depth, "a coroutine cannot be stored as JSON");
    default: return fail(e, e->depth, "nil cannot be stored as JSON");
  }
}

bool jri_json_encode(lua_State *L, jri_buffer *out, const jri_json_options *options, jri_json_failure *failure) {
  int top = lua_gettop(L);
  encoder e = {.L = L, .out = out, .options = options, .failure = failure, .base = top, .depth = 0};
  failure->problem = NULL;
  bool good;
  if (options->object_without != NULL && !lua_istable(L, -1)) {
    good = fail(&e, 0, "must be a table");
  } else {
    good = encode_value(&e);
  }
  lua_settop(L, top);
  return good && !out->failed;
}

bool jri_json_encode_collecting(lua_State *L, jri_buffer *out, const jri_json_options *options,
                                jri_json_failure *failure) {
  jri_buffer_reset(out);
  if (jri_json_encode(L, out, options, failure)) return true;
  if (failure->problem != NULL) return false;
  lua_gc(L, LUA_GCCOLLECT);
  jri_buffer_reset(out);
  return jri_json_encode(L, out, options, failure);
}

void jri_json_encode_or_raise(lua_State *L, jri_buffer *out, const jri_json_options *options) {
  jri_json_failure failure;
  if (jri_json_encode_collecting(L, out, options, &failure)) return;
  if (failure.problem == NULL) jri_raise_memory(L);
  luaL_error(L, "%s: %s", failure.path, failure.problem);
}
