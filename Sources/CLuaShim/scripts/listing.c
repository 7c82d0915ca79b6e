#include <stdlib.h>

#include "runtime/interruption.h"
#include "runtime/job.h"

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
    };
    request->visit(request->context, &definition);
  }
  return 0;
}

bool jr_list_jobs(jr_state *state, void *context, jr_job_function visit) {
  lua_State *L = state->lua;
  listing request = {.state = state, .context = context, .visit = visit};
  jri_begin(state);
  jri_begin_aside(state);
  lua_pushcfunction(L, list);
  lua_pushlightuserdata(L, &request);
  int status = lua_pcall(L, 1, 0, 0);
  jri_end_aside(state, "jobs were listed");
  if (status != LUA_OK) lua_pop(L, 1);
  jri_end(state);
  return status == LUA_OK;
}
