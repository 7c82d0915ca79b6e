#include "scripts/scripts.h"

#include <stdio.h>

#include "runtime/errors.h"
#include "runtime/interruption.h"
#include "runtime/places.h"
#include "runtime/tracebacks.h"
#include "scripts/compile.h"
#include "scripts/definitions.h"
#include "scripts/modules.h"

typedef struct {
  jr_state *state;
  const char *name;
  const char *module;
  const char *source;
  size_t length;
} script;

/// What `jr_load_scripts` is at.
struct jri_loading {
  const jr_script *scripts;
  void *context;
  jr_script_function report;
  const struct jri_loading *inner;  // the script that has required this one
  size_t index;                     // of the script that runs
};

static int handle(lua_State *L) {
  // From 2: without this function and the protected one that walks the stack.
  jri_keep_traceback(L, L, 2, &jri_state(L)->traceback);
  return jri_placing_handler(L);
}

/// Raises the first `job 'name'` that was never called with its function. The list is at `list`.
static void require_complete(lua_State *L, int list) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, list);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, list, i);
    const jri_definition *definition = lua_touserdata(L, -1);
    bool lacks = lua_getiuservalue(L, -1, JRI_DEFINITION_FUNCTION) == LUA_TNIL && jri_has_function(definition->kind);
    if (lacks) {
      lua_getiuservalue(L, -2, JRI_DEFINITION_FILE);
      lua_getiuservalue(L, -3, JRI_DEFINITION_NAME);
      const char *word = jri_kind_word(definition->kind), *name = lua_tostring(L, -1);
      lua_pushfstring(L, "%s:%d: %s '%s' has no function: write %s '%s' (function(args) ... end)", lua_tostring(L, -2),
                      definition->line, word, name, word, name);
      lua_error(L);
    }
    lua_pop(L, 2);
  }
}

/// Returns what the script returns.
static int load(lua_State *L) {
  script *s = lua_touserdata(L, 1);
  jr_state *state = s->state;
  lua_newtable(L);
  int list = lua_gettop(L);
  lua_pushvalue(L, list);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);

  lua_pushcfunction(L, handle);
  jri_compile(L, s->name, s->source, s->length);
  lua_pushstring(L, s->module);
  lua_pushstring(L, s->name);
  if (lua_pcall(L, 2, 1, -4) != LUA_OK) return lua_error(L);
  const int value = lua_gettop(L);
  require_complete(L, list);

  // One assignment commits the file: it either happens whole or not at all.
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->files);
  lua_pushvalue(L, list);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pushvalue(L, value);
  return 1;
}

/// Pushes the error of a script, which is at the top, as text with its traceback instead. May raise "not enough
/// memory".
static void push_load_error(lua_State *L) {
  jr_state *state = jri_state(L);
  jri_buffer *traceback = &state->traceback;
  if (jri_interrupted(state)) {
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%g", state->loading_seconds);
    lua_pushfstring(L, "%sthe script ran longer than %s s while it was loaded: what takes time belongs into a job",
                    state->interruption.place, seconds);
    // The next one has all the time again.
    jri_renew_timeout(state);
  } else {
    jri_push_text(L, -1);
  }
  lua_remove(L, -2);
  if (traceback->length > 0) {
    lua_pushliteral(L, "\n");
    lua_pushlstring(L, traceback->bytes, traceback->length);
    lua_concat(L, 3);
  }
  jri_buffer_reset(traceback);
}

/// Runs the text as the script. Pushes what it returns, or the text of its error.
static bool run_source(lua_State *L, const jr_script *from, const char *source, size_t length) {
  jr_state *state = jri_state(L);
  script s = {.state = state, .name = from->name, .module = from->module, .source = source, .length = length};
  // Another script may be in the middle of its definitions.
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->pending);
  jri_buffer_reset(&state->traceback);
  lua_pushcfunction(L, load);
  lua_pushlightuserdata(L, &s);
  bool good = lua_pcall(L, 1, 1, 0) == LUA_OK;
  lua_insert(L, -2);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);
  if (!good) push_load_error(L);
  return good;
}

/// Notes of the module what is at the top, which is popped: `true` while it runs, its text when it failed, and a list
/// with its value when it is loaded.
static void note_module(lua_State *L, const char *module) {
  if (module == NULL) {
    lua_pop(L, 1);
    return;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->modules);
  lua_pushstring(L, module);
  lua_rotate(L, -3, 2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/// What is loaded now, and for other threads the script that runs: the innermost.
static void set_loading(jr_state *state, const jri_loading *loading) {
  bool runs = loading != NULL && loading->inner != NULL;
  state->loading_set = loading;
  atomic_store_explicit(&state->script, runs ? loading->index + 1 : 0, memory_order_relaxed);
}

static void report_script(lua_State *L, const jri_loading *l, jr_script_outcome outcome) {
  size_t length = 0;
  const char *text = outcome == JR_SCRIPT_LOADED ? "" : lua_tolstring(L, -1, &length);
  l->report(l->context, l->index, outcome, text != NULL ? text : "", length);
}

/// Runs a script, or its fallback. Pushes what it returns, or the text of its error.
static bool load_one(lua_State *L, size_t index) {
  jr_state *state = jri_state(L);
  const jri_loading *outer = state->loading_set;
  const jr_script *s = &outer->scripts[index];
  jri_loading now = {
      .scripts = outer->scripts, .context = outer->context, .report = outer->report, .inner = outer, .index = index};
  luaL_checkstack(L, 8, NULL);
  lua_pushboolean(L, 1);
  note_module(L, s->module);
  set_loading(state, &now);
  bool good = s->problem == NULL && run_source(L, s, s->source, s->length);
  if (s->problem != NULL) lua_pushstring(L, s->problem);
  jr_script_outcome outcome = good ? JR_SCRIPT_LOADED : JR_SCRIPT_FAILED;
  if (!good && s->fallback != NULL) {
    good = run_source(L, s, s->fallback, s->fallback_length);
    if (good) {
      outcome = JR_SCRIPT_FELL_BACK;
      // The reason is told of, the value is kept.
      lua_insert(L, -2);
    } else {
      lua_pop(L, 1);
    }
  }
  set_loading(state, outer);
  report_script(L, &now, outcome);
  if (outcome == JR_SCRIPT_FELL_BACK) lua_pop(L, 1);
  if (good) {
    lua_createtable(L, 1, 0);
    if (lua_isnil(L, -2)) {
      lua_pushboolean(L, 1);
    } else {
      lua_pushvalue(L, -2);
    }
    lua_rawseti(L, -2, 1);
  } else {
    lua_pushvalue(L, -1);
  }
  note_module(L, s->module);
  return good;
}

int jri_raise_cycle(lua_State *L, const char *module) {
  const jri_loading *l = jri_state(L)->loading_set;
  if (l == NULL) return jri_raise(L, "module '%s' requires itself", module);
  luaL_Buffer files;
  luaL_buffinit(L, &files);
  for (bool first = true; l != NULL && l->inner != NULL; l = l->inner, first = false) {
    if (!first) luaL_addstring(&files, ", which is required by ");
    luaL_addstring(&files, l->scripts[l->index].name);
    if (l->scripts[l->index].module != NULL && strcmp(l->scripts[l->index].module, module) == 0) break;
  }
  luaL_pushresult(&files);
  return jri_raise(L, "module '%s' requires itself: by %s", module, lua_tostring(L, -1));
}

/// Whether the script of that index is good, and what it returns, or the text of its error.
static int load_indexed(lua_State *L) {
  bool good = load_one(L, (size_t)lua_tointeger(L, 1));
  lua_pushboolean(L, good);
  lua_insert(L, -2);
  return 2;
}

int jri_load_module(lua_State *L) {
  jr_state *state = jri_state(L);
  const jri_loading *here = state->loading_set;
  lua_pushcfunction(L, load_indexed);
  lua_pushvalue(L, lua_upvalueindex(1));
  // Should memory run out between scripts, the one that requires may catch that and go on from where it is.
  int status = lua_pcall(L, 1, 2, 0);
  set_loading(state, here);
  if (status != LUA_OK) return lua_error(L);
  if (lua_toboolean(L, -2)) return 1;
  return jri_raise(L, "module '%s' cannot be loaded: %s", lua_tostring(L, 1), lua_tostring(L, -1));
}

typedef struct {
  const jr_script *scripts;
  size_t count;
  size_t next;
} script_list;

static int name_modules(lua_State *L) {
  const script_list *list = lua_touserdata(L, 1);
  for (size_t i = 0; i < list->count; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    note_module(L, list->scripts[i].module);
  }
  return 0;
}

static bool is_waiting(lua_State *L, const jr_script *s) {
  if (s->module == NULL) return true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, jri_state(L)->modules);
  lua_pushstring(L, s->module);
  int type = lua_rawget(L, -2);
  // One that seems to run has not got to its end for lack of memory.
  bool waiting = type == LUA_TNUMBER || type == LUA_TNIL || type == LUA_TBOOLEAN;
  lua_pop(L, 2);
  return waiting;
}

static int load_next(lua_State *L) {
  script_list *list = lua_touserdata(L, 1);
  const jr_script *s = &list->scripts[list->next];
  if (!s->waits && is_waiting(L, s)) load_one(L, list->next);
  return 0;
}

/// Keeps the text of a module that no script has required.
static int keep_next(lua_State *L) {
  script_list *list = lua_touserdata(L, 1);
  const jr_script *s = &list->scripts[list->next];
  if (!s->waits || s->module == NULL || !is_waiting(L, s)) return 0;
  if (s->problem != NULL) {
    lua_pushstring(L, s->problem);
  } else {
    jri_push_waiting_module(L, s);
  }
  note_module(L, s->module);
  return 0;
}

void jr_load_scripts(jr_state *state, const jr_script *scripts, size_t count, void *context,
                     jr_script_function report) {
  lua_State *L = state->lua;
  jri_loading set = {.scripts = scripts, .context = context, .report = report};
  script_list list = {.scripts = scripts, .count = count};
  jri_begin(state);
  state->loading = true;
  set_loading(state, &set);
  lua_pushcfunction(L, name_modules);
  lua_pushlightuserdata(L, &list);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  for (; list.next < count; list.next++) {
    jri_begin_aside(state);
    lua_pushcfunction(L, load_next);
    lua_pushlightuserdata(L, &list);
    bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
    jri_end_aside(state, "a script was loaded");
    if (good) continue;
    lua_pop(L, 1);
    char text[100];
    int length =
        snprintf(text, sizeof text, "not enough memory to load the script: raise %s", state->names->memory_limit);
    report(context, list.next, JR_SCRIPT_FAILED, text, (size_t)length);
    set_loading(state, &set);
  }
  set_loading(state, NULL);
  for (list.next = 0; list.next < count; list.next++) {
    lua_pushcfunction(L, keep_next);
    lua_pushlightuserdata(L, &list);
    // Without memory for it `require` looks for the file.
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  }
  state->loading = false;
  lua_pushboolean(L, 0);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);
  jri_end(state);
}

bool jr_load_script(jr_state *state, const char *name, const char *source, size_t length, jr_bytes *error) {
  lua_State *L = state->lua;
  script s = {.state = state, .name = name, .source = source, .length = length};
  jri_begin(state);
  state->loading = true;
  lua_pushcfunction(L, load);
  lua_pushlightuserdata(L, &s);
  int status = lua_pcall(L, 1, 0, 0);
  state->loading = false;
  *error = (jr_bytes){NULL, 0};
  if (status != LUA_OK) {
    *error = jri_describe_unprotected(state, &state->message);
    jri_buffer *message = &state->message, *traceback = &state->traceback;
    if (error->bytes == message->bytes && traceback->length > 0) {
      // The text alone is worth more than nothing when there is no room for both.
      if (jri_buffer_reserve(message, traceback->length + 1)) {
        jri_buffer_add_byte(message, '\n');
        jri_buffer_add(message, traceback->bytes, traceback->length);
      }
      *error = jri_buffer_bytes(message);
    }
  }
  // Nothing of the file stays: the slot exists, so this allocates nothing.
  lua_pushboolean(L, 0);
  lua_rawseti(L, LUA_REGISTRYINDEX, state->pending);
  jri_end(state);
  return status == LUA_OK;
}
