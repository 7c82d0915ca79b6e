#include "scripts/policy.h"

#include <float.h>
#include <math.h>

#include "runtime/job.h"

typedef struct {
  const char *name;
  size_t offset;  // in `jri_policy`
  double minimum;
  double maximum;  // so that no arithmetic on it overflows
  bool integer;
  const char *needed;
} descriptor;

static const descriptor descriptors[] = {
    {"max_attempt", offsetof(jri_policy, max_attempt), 1, 1e9, true, "an integer from 1 to 1000000000"},
    {"retry_multiplier", offsetof(jri_policy, retry_multiplier), 0, 1e9, false,
     "a number of seconds from 0 to 1000000000"},
    {"backoff", 0, 0, 0, false, "'linear', 'exponential' or a function"},  // no number: read_backoff
    {"jitter", offsetof(jri_policy, jitter), 0, 1, false, "a number from 0 to 1"},
    {"max_retry_delay", offsetof(jri_policy, max_retry_delay), 0, JRI_LONGEST_DELAY, false,
     "a number of seconds from 0 to 1000000000"},
    {"timeout", offsetof(jri_policy, timeout), DBL_TRUE_MIN, 1e9, false,
     "a number of seconds above 0, up to 1000000000"},
    {"priority", offsetof(jri_policy, priority), 0, 9, true, "an integer from 0 (last) to 9 (first)"},
    {"limit", 0, 0, 0, false, ""},  // the host reads it
};
enum { DESCRIPTORS = sizeof descriptors / sizeof descriptors[0] };

const jri_policy jri_no_policy = {.max_attempt = NAN,
                                  .retry_multiplier = NAN,
                                  .jitter = NAN,
                                  .max_retry_delay = NAN,
                                  .timeout = NAN,
                                  .priority = NAN,
                                  .backoff = JR_BACKOFF_UNSET};

static const descriptor *find(const char *name) {
  for (int i = 0; i < DESCRIPTORS; i++) {
    if (strcmp(descriptors[i].name, name) == 0) return &descriptors[i];
  }
  return NULL;
}

static int raise_unknown(lua_State *L, const char *name) {
  luaL_Buffer known;
  luaL_buffinit(L, &known);
  for (int i = 0; i < DESCRIPTORS; i++) {
    if (i > 0) luaL_addstring(&known, ", ");
    luaL_addstring(&known, descriptors[i].name);
  }
  luaL_pushresult(&known);
  return luaL_error(L, "job: unknown option '%s' (known: %s)", name, lua_tostring(L, -1));
}

static jr_backoff read_backoff(lua_State *L, int index, const descriptor *option) {
  if (lua_isfunction(L, index)) return JR_BACKOFF_FUNCTION;
  if (lua_type(L, index) != LUA_TSTRING) {
    luaL_error(L, "job: option '%s' must be %s, got %s", option->name, option->needed, luaL_typename(L, index));
  }
  const char *word = lua_tostring(L, index);
  if (strcmp(word, "linear") == 0) return JR_BACKOFF_LINEAR;
  if (strcmp(word, "exponential") == 0) return JR_BACKOFF_EXPONENTIAL;
  return luaL_error(L, "job: option '%s' must be %s, got '%s'", option->name, option->needed, word);
}

static double read_value(lua_State *L, int index, const descriptor *option) {
  double value = NAN;
  if (lua_type(L, index) == LUA_TNUMBER) value = (double)lua_tonumber(L, index);
  // False for NaN as well.
  bool good = value >= option->minimum && value <= option->maximum && (!option->integer || value == floor(value));
  if (!good) {
    const char *shown = lua_type(L, index) == LUA_TNUMBER ? luaL_tolstring(L, index, NULL) : luaL_typename(L, index);
    luaL_error(L, "job: option '%s' must be %s, got %s", option->name, option->needed, shown);
  }
  return value;
}

void jri_read_policy(lua_State *L, int index, jri_policy *policy) {
  *policy = jri_no_policy;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      luaL_error(L, "job: the options must have string keys, got a %s as key", luaL_typename(L, -2));
    }
    const char *name = lua_tostring(L, -2);
    const descriptor *option = find(name);
    if (option == NULL) {
      raise_unknown(L, name);
    } else if (strcmp(name, "backoff") == 0) {
      policy->backoff = read_backoff(L, lua_gettop(L), option);
    } else if (strcmp(name, "limit") == 0) {
      policy->limited = true;
    } else {
      *(double *)(void *)((char *)policy + option->offset) = read_value(L, lua_gettop(L), option);
    }
    lua_pop(L, 1);
  }
}
