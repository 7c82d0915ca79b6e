#include "runtime/interruption.h"
#include "runtime/job.h"
#include "scripts/aside.h"
#include "scripts/definitions.h"
#include "scripts/distance.h"

typedef struct {
  jr_state *state;
  void *context;
  jr_problem_function report;
} joining;

// Stack indexes while definitions are joined.
enum {
  REQUEST = 1,
  FILES,      // the lists that scripts left, in load order
  JOBS,       // name → the definition that stands
  CALLBACKS,  // name → list of functions
  ERRBACKS,
  RECORDS,  // name → job record: the result
};

/// Reports the text at the top of the stack and pops it.
static void report(lua_State *L, const joining *j, jr_problem_severity severity) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  j->report(j->context, severity, text, length);
  lua_pop(L, 1);
}

/// Pushes a user value of the definition at `index`, which is a string.
static const char *push_string(lua_State *L, int index, int value) {
  lua_getiuservalue(L, index, value);
  return lua_tostring(L, -1);
}

/// The definition is at the top; leaves the stack as it is.
static void join_job(lua_State *L, const joining *j) {
  const int definition = lua_gettop(L), name = definition + 1, file = definition + 2, earlier = definition + 3;
  lua_getiuservalue(L, definition, JRI_DEFINITION_NAME);
  lua_getiuservalue(L, definition, JRI_DEFINITION_FILE);
  lua_pushvalue(L, name);
  if (lua_rawget(L, JOBS) == LUA_TUSERDATA) {
    const jri_definition *new = lua_touserdata(L, definition), *old = lua_touserdata(L, earlier);
    const char *old_file = push_string(L, earlier, JRI_DEFINITION_FILE);
    lua_pushfstring(L, "%s:%d: job '%s' replaces the one defined at %s:%d", lua_tostring(L, file), new->line,
                    lua_tostring(L, name), old_file, old->line);
    report(L, j, JR_PROBLEM_WARNING);
  }
  lua_pushvalue(L, name);
  lua_pushvalue(L, definition);
  lua_rawset(L, JOBS);
  lua_settop(L, definition);
}

/// Pushes the defined name most like `name`, or nil. Of equally near ones the first by order, so that reports are
/// stable.
static void push_near_name(lua_State *L, const char *name) {
  int nearest = JRI_NEAR + 1;
  lua_pushnil(L);
  int best = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, JOBS)) {
    lua_pop(L, 1);
    const char *candidate = lua_tostring(L, -1);
    int distance = jri_distance(name, candidate);
    if (distance > JRI_NEAR || distance > nearest) continue;
    if (distance == nearest && strcmp(candidate, lua_tostring(L, best)) > 0) continue;
    nearest = distance;
    lua_copy(L, -1, best);
  }
}

/// The definition is at the top; leaves the stack as it is.
static void join_step(lua_State *L, const joining *j, jri_kind kind) {
  const int definition = lua_gettop(L), name = definition + 1, lists = kind == JRI_CALLBACK ? CALLBACKS : ERRBACKS;
  lua_getiuservalue(L, definition, JRI_DEFINITION_NAME);
  lua_pushvalue(L, name);
  if (lua_rawget(L, JOBS) != LUA_TUSERDATA) {
    const jri_definition *undefined = lua_touserdata(L, definition);
    const char *file = push_string(L, definition, JRI_DEFINITION_FILE), *text = lua_tostring(L, name);
    push_near_name(L, text);
    const char *near = lua_tostring(L, -1);
    lua_pushfstring(L, "%s:%d: %s for '%s', but no script defines job '%s'%s%s%s", file, undefined->line,
                    jri_kind_word(kind), text, text, near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?)" : "");
    report(L, j, JR_PROBLEM_ERROR);
    lua_settop(L, definition);
    return;
  }
  lua_pushvalue(L, name);
  if (lua_rawget(L, lists) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -2);
    lua_rawset(L, lists);
  }
  const int list = lua_gettop(L);
  lua_Integer number = (lua_Integer)lua_rawlen(L, list) + 1;
  lua_getiuservalue(L, definition, JRI_DEFINITION_FUNCTION);
  lua_rawseti(L, list, number);
  // What errors call it stands at the negative of its position.
  const char *what = kind == JRI_CALLBACK ? "callback" : "errback";
  if (lua_getiuservalue(L, definition, JRI_DEFINITION_LABEL) == LUA_TSTRING) {
    lua_pushfstring(L, "%s '%s'", what, lua_tostring(L, -1));
  } else {
    lua_pushfstring(L, "%s %d", what, (int)number);
  }
  lua_rawseti(L, list, -number);
  lua_settop(L, definition);
}

static void join_files(lua_State *L, const joining *j, bool jobs) {
  lua_Integer files = (lua_Integer)lua_rawlen(L, FILES);
  for (lua_Integer file = 1; file <= files; file++) {
    lua_rawgeti(L, FILES, file);
    const int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, list, i);
      const jri_definition *definition = lua_touserdata(L, -1);
      if (jobs && definition->kind == JRI_JOB) join_job(L, j);
      if (!jobs && definition->kind != JRI_JOB && jri_has_function(definition->kind)) join_step(L, j, definition->kind);
      lua_settop(L, list);
    }
    lua_settop(L, list - 1);
  }
}

/// Appends the functions that `lists` has for the name at `name` to the steps at `steps`; returns how many.
static int add_steps(lua_State *L, int lists, int name, int steps) {
  lua_pushvalue(L, name);
  int count = 0;
  if (lua_rawget(L, lists) == LUA_TTABLE) {
    count = (int)lua_rawlen(L, -1);
    lua_Integer before = (lua_Integer)lua_rawlen(L, steps);
    for (int i = 1; i <= count; i++) {
      lua_rawgeti(L, -1, i);
      lua_rawseti(L, steps, before + i);
      lua_rawgeti(L, -1, -i);
      lua_rawseti(L, steps, -(before + i));
    }
  }
  lua_pop(L, 1);
  return count;
}

/// Makes the record of the job whose name and definition are at the top; leaves the stack as it is.
static void make_record(lua_State *L) {
  const int name = lua_gettop(L) - 1, definition = name + 1;
  const jri_definition *from = lua_touserdata(L, definition);
  size_t file_length;
  lua_getiuservalue(L, definition, JRI_DEFINITION_FILE);
  const char *file = lua_tolstring(L, -1, &file_length);

  lua_newtable(L);
  const int steps = lua_gettop(L);
  lua_getiuservalue(L, definition, JRI_DEFINITION_FUNCTION);
  lua_rawseti(L, steps, 1);
  int callbacks = add_steps(L, CALLBACKS, name, steps), errbacks = add_steps(L, ERRBACKS, name, steps);

  lua_pushvalue(L, name);
  jri_job *job = lua_newuserdatauv(L, sizeof *job + file_length + 1, JRI_JOB_VALUES);
  *job = (jri_job){.callbacks = callbacks, .errbacks = errbacks, .line = from->line, .policy = from->policy};
  memcpy(job->file, file, file_length + 1);
  lua_pushvalue(L, steps);
  lua_setiuservalue(L, -2, JRI_JOB_STEPS);
  lua_getiuservalue(L, definition, JRI_DEFINITION_BACKOFF);
  lua_setiuservalue(L, -2, JRI_JOB_BACKOFF);
  lua_getiuservalue(L, definition, JRI_DEFINITION_TEXT);
  lua_setiuservalue(L, -2, JRI_JOB_LIMITS);
  lua_rawset(L, RECORDS);
  lua_settop(L, definition);
}

static int join(lua_State *L) {
  const joining *j = lua_touserdata(L, REQUEST);
  lua_rawgeti(L, LUA_REGISTRYINDEX, j->state->files);
  for (int table = JOBS; table <= RECORDS; table++) lua_newtable(L);
  join_files(L, j, true);
  join_files(L, j, false);
  lua_pushnil(L);
  while (lua_next(L, JOBS)) {
    make_record(L);
    lua_pop(L, 1);
  }
  lua_pushvalue(L, RECORDS);
  lua_rawseti(L, LUA_REGISTRYINDEX, j->state->jobs);
  return 0;
}

bool jr_join_definitions(jr_state *state, void *context, jr_problem_function report_problem) {
  joining j = {.state = state, .context = context, .report = report_problem};
  return jri_call_aside(state, join, &j, "definitions were joined");
}
