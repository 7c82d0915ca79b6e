#include <stdlib.h>

#include "runtime/interruption.h"
#include "runtime/job.h"
#include "scripts/aside.h"
#include "scripts/definitions.h"

typedef struct {
  jr_state *state;
  void *context;
  jr_job_function visit;
} listing;

typedef struct {
  const char *name;
  size_t length;
  const jri_job *job;
} entry;

static int compare(const void *a, const void *b) {
  const entry *left = a, *right = b;
  size_t shorter = left->length < right->length ? left->length : right->length;
  int order = memcmp(left->name, right->name, shorter);
  if (order != 0) return order;
  return (left->length > right->length) - (left->length < right->length);
}

static int list(lua_State *L) {
  const listing *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->state->jobs);
  const int jobs = lua_gettop(L);
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, jobs)) {
    count++;
    lua_pop(L, 1);
  }
  // The names and records that the entries point to stay in the table of jobs.
  entry *entries = lua_newuserdatauv(L, count * sizeof *entries, 0);
  size_t filled = 0;
  lua_pushnil(L);
  while (lua_next(L, jobs)) {
    entry *e = &entries[filled++];
    e->job = lua_touserdata(L, -1);
    e->name = lua_tolstring(L, -2, &e->length);
    lua_pop(L, 1);
  }
  qsort(entries, count, sizeof *entries, compare);
  for (size_t i = 0; i < count; i++) {
    const jri_job *job = entries[i].job;
    jr_job_definition definition = {
        .name = entries[i].name,
        .name_length = entries[i].length,
        .file = job->file,
        .line = job->line,
        .callbacks = job->callbacks,
        .errbacks = job->errbacks,
        .max_attempt = job->policy.max_attempt,
        .retry_multiplier = job->policy.retry_multiplier,
        .backoff = job->policy.backoff,
        .jitter = job->policy.jitter,
        .max_retry_delay = job->policy.max_retry_delay,
        .timeout = job->policy.timeout,
        .priority = job->policy.priority,
    };
    lua_pushlstring(L, entries[i].name, entries[i].length);
    lua_rawget(L, jobs);
    if (lua_getiuservalue(L, -1, JRI_JOB_LIMITS) == LUA_TSTRING) {
      definition.limits.bytes = lua_tolstring(L, -1, &definition.limits.length);
    }
    request->visit(request->context, &definition);
    lua_pop(L, 2);
  }
  return 0;
}

bool jr_list_jobs(jr_state *state, void *context, jr_job_function visit) {
  listing request = {.state = state, .context = context, .visit = visit};
  return jri_call_aside(state, list, &request, "jobs were listed");
}

typedef struct {
  jr_state *state;
  void *context;
  jr_declaration_function visit;
} declaration_listing;

static int list_declarations(lua_State *L) {
  const declaration_listing *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->state->files);
  const int files = lua_gettop(L), list = files + 1, record = files + 2;
  for (lua_Integer file = 1; file <= (lua_Integer)lua_rawlen(L, files); file++) {
    lua_rawgeti(L, files, file);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
      lua_rawgeti(L, list, i);
      const jri_definition *definition = lua_touserdata(L, record);
      if (!jri_has_function(definition->kind)) {
        lua_getiuservalue(L, record, JRI_DEFINITION_FILE);
        lua_getiuservalue(L, record, JRI_DEFINITION_TEXT);
        jr_declaration declaration = {
            .word = jri_kind_word(definition->kind), .file = lua_tostring(L, -2), .line = definition->line};
        declaration.text.bytes = lua_tolstring(L, -1, &declaration.text.length);
        request->visit(request->context, &declaration);
      }
      lua_settop(L, list);
    }
    lua_settop(L, files);
  }
  return 0;
}

bool jr_list_declarations(jr_state *state, void *context, jr_declaration_function visit) {
  declaration_listing request = {.state = state, .context = context, .visit = visit};
  return jri_call_aside(state, list_declarations, &request, "schedules and limits were listed");
}
