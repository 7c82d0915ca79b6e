#include "policy.h"

#include <math.h>

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
};
enum { DESCRIPTORS = sizeof descriptors / sizeof descriptors[0] };

const jri_policy jri_no_policy = {.max_attempt = NAN, .retry_multiplier = NAN};

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

static double read_value(lua_State *L, int index, const descriptor *option) {
  double value = NAN;
  if (lua_type(L, index) == LUA_TNUMBER) value = (double)lua_tonumber(L, index);
  // False for NaN as well.
  bool good =
      value >= option->minimum && value <= option->maximum && (!option->integer || value == floor(value));
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
    } else {
      *(double *)(void *)((char *)policy + option->offset) = read_value(L, lua_gettop(L), option);
    }
    lua_pop(L, 1);
  }
}
