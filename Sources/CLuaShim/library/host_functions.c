// Functions of the host, as libraries give them to scripts: what goes over are flat values, in both directions.
#include <limits.h>

#include "json/decode.h"
#include "runtime/cancelling.h"
#include "runtime/errors.h"
#include "runtime/places.h"
#include "runtime/run.h"
#include "runtime/strands.h"

enum { MOST_ARGUMENTS = 250 };

/// Fills in the arguments. Strings stay on the stack, and so where they are, until the function returns.
static void read_arguments(lua_State *L, jr_value *values, int count, const char *word) {
  for (int i = 0; i < count; i++) {
    jr_value *value = &values[i];
    *value = (jr_value){.kind = JR_NIL};
    switch (lua_type(L, i + 1)) {
      case LUA_TNIL: break;
      case LUA_TBOOLEAN:
        value->kind = JR_BOOLEAN;
        value->boolean = lua_toboolean(L, i + 1);
        break;
      case LUA_TNUMBER:
        if (lua_isinteger(L, i + 1)) {
          value->kind = JR_INTEGER;
          value->integer = lua_tointeger(L, i + 1);
        } else {
          value->kind = JR_NUMBER;
          value->number = (double)lua_tonumber(L, i + 1);
        }
        break;
      case LUA_TSTRING:
        value->kind = JR_STRING;
        value->bytes.bytes = lua_tolstring(L, i + 1, &value->bytes.length);
        break;
      default: jri_raise(L, "%s: argument %d must not be a %s", word, i + 1, luaL_typename(L, i + 1));
    }
  }
}

static void push_value(lua_State *L, const jr_value *value) {
  switch (value->kind) {
    case JR_NIL: lua_pushnil(L); break;
    case JR_BOOLEAN: lua_pushboolean(L, value->boolean); break;
    case JR_INTEGER: lua_pushinteger(L, (lua_Integer)value->integer); break;
    case JR_NUMBER: lua_pushnumber(L, value->number); break;
    case JR_STRING:
      lua_pushlstring(L, value->bytes.bytes != NULL ? value->bytes.bytes : "", value->bytes.length);
      break;
    case JR_JSON: jri_json_decode(L, value->bytes.bytes, value->bytes.length, "the answer", NULL); break;
  }
}

/// Pushes what the host answered, or raises its error.
static int push_answer(lua_State *L, const jr_answer *answer) {
  if (answer->error.bytes != NULL) {
    jri_push_place(L);
    lua_pushlstring(L, answer->error.bytes, answer->error.length);
    lua_concat(L, 2);
    return lua_error(L);
  }
  if (answer->count > INT_MAX - 1 || !lua_checkstack(L, (int)answer->count + 4)) {
    return luaL_error(L, "too many results");
  }
  for (size_t i = 0; i < answer->count; i++) push_value(L, &answer->values[i]);
  return (int)answer->count;
}

/// Upvalues of both: the number of the function, its name.
static int call_host(lua_State *L) {
  jr_state *state = jri_state(L);
  int count = lua_gettop(L);
  const char *word = lua_tostring(L, lua_upvalueindex(2));
  if (count > MOST_ARGUMENTS) return jri_raise(L, "%s: too many arguments", word);
  jr_value values[MOST_ARGUMENTS];
  read_arguments(L, values, count, word);
  jr_answer answer = {NULL, 0, {NULL, 0}};
  state->host.call(state->host.context, state->slice.host_run, (int)lua_tointeger(L, lua_upvalueindex(1)), values,
                   (size_t)count, &answer);
  return push_answer(L, &answer);
}

static int answered(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  jri_raise_cancelled(L);
  return push_answer(L, jri_state(L)->slice.answer);
}

static int start_host(lua_State *L) {
  jr_state *state = jri_state(L);
  int count = lua_gettop(L);
  const char *word = lua_tostring(L, lua_upvalueindex(2));
  if (count > MOST_ARGUMENTS) return jri_raise(L, "%s: too many arguments", word);
  jri_require_pause(L, word);
  jr_value values[MOST_ARGUMENTS];
  read_arguments(L, values, count, word);
  // So that nothing can go wrong once the host has begun.
  uint64_t token = ++state->last_token;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
  lua_pushlightuserdata(L, state->slice.strand);
  lua_rawseti(L, -2, (lua_Integer)token);
  lua_pop(L, 1);
  jr_answer answer = {NULL, 0, {NULL, 0}};
  state->host.start(state->host.context, state->slice.host_run, token, (int)lua_tointeger(L, lua_upvalueindex(1)),
                    values, (size_t)count, &answer);
  if (answer.error.bytes != NULL) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->waiting);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)token);
    lua_pop(L, 1);
    return push_answer(L, &answer);
  }
  state->slice.strand->token = token;
  lua_settop(L, 0);
  return jri_suspend(L, answered);
}

typedef struct {
  const char *name;
  const char *source;
  size_t length;
  const jr_function *functions;
  size_t count;
} library;

static int open_library(lua_State *L) {
  const library *l = lua_touserdata(L, 1);
  const char *chunk_name = lua_pushfstring(L, "=[%s]", l->name);
  if (luaL_loadbufferx(L, l->source, l->length, chunk_name, "t") != LUA_OK) return lua_error(L);
  lua_createtable(L, 0, (int)l->count);
  for (size_t i = 0; i < l->count; i++) {
    const jr_function *function = &l->functions[i];
    lua_pushinteger(L, function->number);
    lua_pushstring(L, function->name);
    lua_pushcclosure(L, function->suspends ? start_host : call_host, 2);
    lua_setfield(L, -2, function->name);
  }
  lua_call(L, 1, 0);
  return 0;
}

bool jr_open_library(jr_state *state, const char *name, const char *source, size_t length, const jr_function *functions,
                     size_t count, jr_bytes *error) {
  lua_State *L = state->lua;
  library l = {.name = name, .source = source, .length = length, .functions = functions, .count = count};
  jri_begin(state);
  lua_pushcfunction(L, open_library);
  lua_pushlightuserdata(L, &l);
  bool good = lua_pcall(L, 1, 0, 0) == LUA_OK;
  *error = good ? (jr_bytes){NULL, 0} : jri_describe_unprotected(state, &state->message);
  jri_end(state);
  return good;
}
