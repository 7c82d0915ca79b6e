// `enqueue` of a script. All jobs of one call go to the host as one JSON array, in the scratch buffer; between the
// first of its bytes and the host's return nothing allocates Lua memory, for the finalizers that a collection runs may
// use the buffer too.
#include <stdio.h>

#include "json/decode.h"
#include "json/encode.h"
#include "library/library.h"
#include "runtime/places.h"
#include "runtime/strands.h"
#include "scripts/names.h"

/// Stack indexes while jobs are written.
enum { LIST = 1, NAME_KEY, ARGS_KEY, OPTIONS_KEY, ITEM, NAME, ARGS, OPTIONS };

typedef struct {
  lua_State *L;
  jri_buffer *out;
  char word[64];  // what errors start with
} writer;

/// Writes the table at `index`, of which nil is the empty one.
static void write_table(writer *w, int index, const char *what) {
  static const char *const nothing[] = {NULL};
  lua_State *L = w->L;
  if (lua_isnil(L, index)) {
    jri_buffer_add(w->out, "{}", 2);
    return;
  }
  if (!lua_istable(L, index)) jri_raise(L, "%s: %s must be a table, got a %s", w->word, what, luaL_typename(L, index));
  jri_json_options options = {.root = what, .object_without = nothing};
  jri_json_failure failure;
  lua_pushvalue(L, index);
  bool good = jri_json_encode(L, w->out, &options, &failure);
  if (!good && failure.problem != NULL) jri_raise(L, "%s: %s: %s", w->word, failure.path, failure.problem);
  if (!good) w->out->failed = true;
  lua_pop(L, 1);
}

/// Writes the job whose parts are in their places.
static void write_job(writer *w) {
  lua_State *L = w->L;
  size_t length;
  jri_check_text(L, w->word, "name", NAME, false);
  const char *name = lua_tolstring(L, NAME, &length);
  jri_buffer_add(w->out, "{\"name\":", 8);
  jri_buffer_add_json_string(w->out, name, length);
  jri_buffer_add(w->out, ",\"args\":", 8);
  write_table(w, ARGS, "args");
  if (!lua_isnil(L, OPTIONS)) {
    jri_buffer_add(w->out, ",\"options\":", 11);
    write_table(w, OPTIONS, "options");
  }
  jri_buffer_add(w->out, "},", 2);
}

/// Whether the item's key, at the top, is one that it may have.
static bool is_known_key(lua_State *L) {
  if (lua_isinteger(L, -1)) return lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= 3;
  return lua_rawequal(L, -1, NAME_KEY) || lua_rawequal(L, -1, ARGS_KEY) || lua_rawequal(L, -1, OPTIONS_KEY);
}

/// Puts a part of the item in its place: what stands at its position, else under its key.
static void take_part(lua_State *L, int part, int key) {
  if (lua_rawgeti(L, ITEM, part - NAME + 1) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, key);
    lua_rawget(L, ITEM);
  }
}

static void write_item(writer *w, lua_Integer number) {
  lua_State *L = w->L;
  snprintf(w->word, sizeof w->word, "enqueue: job %lld", (long long)number);
  lua_rawgeti(L, LIST, number);
  if (!lua_istable(L, ITEM)) {
    jri_raise(L, "%s: must be a table {name, args, options}, got a %s", w->word, luaL_typename(L, ITEM));
  }
  lua_pushnil(L);
  while (lua_next(L, ITEM)) {
    lua_pop(L, 1);
    if (!is_known_key(L)) {
      jri_raise(L, "%s: unknown key '%s' (known: name, args, options)", w->word, luaL_tolstring(L, -1, NULL));
    }
  }
  take_part(L, NAME, NAME_KEY);
  take_part(L, ARGS, ARGS_KEY);
  take_part(L, OPTIONS, OPTIONS_KEY);
  write_job(w);
  lua_settop(L, ITEM - 1);
}

/// `count` is -1 for the one job whose parts are in their places.
static void write_jobs(writer *w, lua_Integer count) {
  jri_buffer_reset(w->out);
  jri_buffer_add_byte(w->out, '[');
  if (count < 0) write_job(w);
  for (lua_Integer i = 1; i <= count && !w->out->failed; i++) write_item(w, i);
  if (w->out->failed) return;
  // The last job has left a comma behind.
  w->out->bytes[w->out->length - 1] = ']';
}

/// Hands the jobs over and pushes the host's reply, decoded.
static void hand_over(lua_State *L, lua_Integer count) {
  jr_state *state = jri_state(L);
  writer w = {.L = L, .out = &state->scratch, .word = "enqueue"};
  int top = lua_gettop(L);
  write_jobs(&w, count);
  if (w.out->failed) {
    lua_settop(L, top);
    lua_gc(L, LUA_GCCOLLECT);
    write_jobs(&w, count);
    if (w.out->failed) jri_raise_memory(L);
  }
  jr_bytes reply = {NULL, 0};
  bool good = state->host.enqueue(state->host.context, state->slice.host_run, w.out->bytes, w.out->length, &reply);
  // A finalizer may enqueue as well, which ends the reply's life.
  lua_pushlstring(L, reply.bytes != NULL ? reply.bytes : "", reply.length);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  if (!good) jri_raise(L, "%s", text);
  jri_json_decode(L, text, length, "enqueue", NULL);
  lua_Integer ids = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : -1;
  if (ids != (count < 0 ? 1 : count)) jri_raise(L, "enqueue: the reply does not have an id for each job");
}

/// Leaves the parts of one job in their places.
static void place_arguments(lua_State *L) {
  if (lua_gettop(L) > 3) jri_raise(L, "enqueue: expected at most 3 arguments, got %d", lua_gettop(L));
  lua_settop(L, 3);
  for (int i = LIST; i < NAME; i++) {
    lua_pushnil(L);
    lua_insert(L, LIST);
  }
}

static lua_Integer check_list(lua_State *L) {
  if (lua_gettop(L) > 1) jri_raise(L, "enqueue: a list of jobs is the only argument, got %d", lua_gettop(L));
  lua_Integer count = (lua_Integer)lua_rawlen(L, LIST), keys = 0;
  lua_pushnil(L);
  while (lua_next(L, LIST)) {
    lua_pop(L, 1);
    keys++;
  }
  if (keys != count) jri_raise(L, "enqueue: expected a list of jobs: enqueue{ {name, args, options}, ... }");
  return count;
}

static int enqueue(lua_State *L) {
  jr_state *state = jri_state(L);
  jri_require_running(L, "enqueue");
  if (state->host.enqueue == NULL) return jri_raise(L, "enqueue is not available here");
  if (!lua_istable(L, 1)) {
    place_arguments(L);
    hand_over(L, -1);
    lua_rawgeti(L, -1, 1);
    return 1;
  }
  lua_Integer count = check_list(L);
  if (count == 0) {
    lua_newtable(L);
    return 1;
  }
  lua_pushliteral(L, "name");
  lua_pushliteral(L, "args");
  lua_pushliteral(L, "options");
  hand_over(L, count);
  return 1;
}

void jri_open_enqueue(lua_State *L) { lua_register(L, "enqueue", enqueue); }
