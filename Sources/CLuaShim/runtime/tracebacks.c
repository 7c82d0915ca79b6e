// Where errors came from, as scripts, records and logs are told it: without the insides of libraries.
#include "runtime/tracebacks.h"

#include "runtime/places.h"

// MARK: Frames of libraries

static bool begins_with(const char *text, const char *end, const char *prefix) {
  const size_t length = strlen(prefix);
  return (size_t)(end - text) >= length && memcmp(text, prefix, length) == 0;
}

/// Adds the lines from `first` to `end`. Up to `after` they are those of a library, if `name` is not NULL: one line
/// stands for them, which says how the library was called.
static void add_lines(luaL_Buffer *out, const char *first, const char *name, const char *after, const char *end) {
  if (name != NULL) {
    luaL_addstring(out, "\t[JobReactor]: ");
    if (!begins_with(name, after, "in function <")) {
      luaL_addlstring(out, name, (size_t)(after - name));
    } else {
      // It has no name but its place.
      luaL_addstring(out, after[-1] == '\n' ? "in ?\n" : "in ?");
    }
    first = after;
  }
  luaL_addlstring(out, first, (size_t)(end - first));
}

void jri_push_traceback(lua_State *L, lua_State *thread, int level) {
  size_t length;
  luaL_traceback(L, thread, NULL, level);
  const char *text = lua_tolstring(L, -1, &length), *end = text + length;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  // Lines from `first` on are not added yet. The last of them that is a library's says `name`, and ends at `after`.
  const char *first = text, *name = NULL, *after = NULL, *next;
  for (const char *line = text; line < end; line = next) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    next = newline != NULL ? newline + 1 : end;
    const size_t place = *line == '\t' ? jri_library_place(line + 1, (size_t)(next - line - 1)) : 0;
    if (place > 0) {
      name = line + 1 + place;
      after = next;
    } else if (!begins_with(line, end, "\t[C]: ") && !begins_with(line, end, "\t(...tail calls...)")) {
      // Functions of C are inside of a library that stands behind them: it has called them. Here there is none any
      // more.
      add_lines(&out, first, name, after, next);
      first = next;
      name = NULL;
    }
  }
  add_lines(&out, first, name, after, end);
  luaL_pushresult(&out);
  lua_remove(L, -2);
}

// MARK: Keeping

typedef struct {
  lua_State *thread;
  int level;
  jri_buffer *out;
} traceback_request;

static int keep_traceback(lua_State *L) {
  const traceback_request *request = lua_touserdata(L, 1);
  jri_push_traceback(L, request->thread, request->level);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  jri_buffer_add_text(request->out, text, length);
  return 0;
}

void jri_keep_traceback(lua_State *L, lua_State *thread, int level, jri_buffer *traceback) {
  traceback_request request = {.thread = thread, .level = level, .out = traceback};
  jri_buffer_reset(traceback);
  if (!lua_checkstack(L, 4)) return;
  lua_pushcfunction(L, keep_traceback);
  lua_pushlightuserdata(L, &request);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  if (traceback->failed) jri_buffer_reset(traceback);
}

// MARK: Coroutines of the script's own

static const char traceback_head[] = "stack traceback:";

/// What an error is told apart by: its text, or its address.
static bool add_identity(lua_State *L, jri_buffer *out) {
  if (lua_type(L, -1) == LUA_TSTRING) {
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    jri_buffer_add(out, text, length);
  } else {
    const void *address = lua_topointer(L, -1);
    jri_buffer_add(out, (const char *)&address, sizeof address);
  }
  return !out->failed;
}

void jri_keep_inner_traceback(lua_State *L, lua_State *thread) {
  jr_state *state = jri_state(L);
  jri_buffer *kept = &state->inner_traceback, *text = &state->note;
  if (!state->slice.keeps_traceback) return;
  jri_keep_traceback(L, thread, 0, text);
  // This error may have come from a coroutine further in.
  jri_join_tracebacks(L, text);
  jri_buffer moved = *kept;
  *kept = *text;
  *text = moved;
  jri_keep_inner_error(L);
}

void jri_keep_inner_error(lua_State *L) {
  jr_state *state = jri_state(L);
  jri_buffer_reset(&state->inner_error);
  if (!add_identity(L, &state->inner_error)) jri_buffer_reset(&state->inner_traceback);
}

void jri_join_tracebacks(lua_State *L, jri_buffer *traceback) {
  jr_state *state = jri_state(L);
  jri_buffer *inner = &state->inner_traceback, *error = &state->inner_error;
  if (inner->length == 0 || error->length == 0) return;
  bool same = false;
  if (lua_type(L, -1) == LUA_TSTRING) {
    // `coroutine.wrap` puts its own place before the text.
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    same = length >= error->length && memcmp(text + length - error->length, error->bytes, error->length) == 0;
  } else {
    const void *address = lua_topointer(L, -1);
    same = error->length == sizeof address && memcmp(error->bytes, &address, sizeof address) == 0;
  }
  size_t head = sizeof traceback_head - 1;
  if (same && traceback->length >= head && memcmp(traceback->bytes, traceback_head, head) == 0) {
    static const char between[] = "\n\tresumed by:";
    jri_buffer_add(inner, between, sizeof between - 1);
    jri_buffer_add(inner, traceback->bytes + head, traceback->length - head);
    if (!inner->failed) {
      jri_buffer_reset(traceback);
      jri_buffer_add(traceback, inner->bytes, inner->length);
    }
  }
  jri_buffer_reset(inner);
  jri_buffer_reset(error);
}
