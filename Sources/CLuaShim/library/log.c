#include "base/state.h"
#include "library/library.h"

/// Hands the arguments, as text with tabs between them, to the log.
static int say(lua_State *L, jr_log_level level) {
  jr_state *state = jri_state(L);
  int count = lua_gettop(L);
  size_t length;
  const char *text;
  if (count == 1) {
    text = luaL_tolstring(L, 1, &length);
  } else {
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
      if (i > 1) luaL_addchar(&line, '\t');
      luaL_tolstring(L, i, NULL);
      luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    text = lua_tolstring(L, -1, &length);
  }
  if (state->host.log != NULL) state->host.log(state->host.context, state->slice.host_run, level, text, length);
  return 0;
}

static int say_debug(lua_State *L) { return say(L, JR_LOG_DEBUG); }
static int say_info(lua_State *L) { return say(L, JR_LOG_INFO); }
static int say_warning(lua_State *L) { return say(L, JR_LOG_WARNING); }
static int say_error(lua_State *L) { return say(L, JR_LOG_ERROR); }

/// `warn`, and what Lua itself warns of: errors in finalizers. Comes in pieces. May not raise.
static void warn(void *context, const char *piece, int more) {
  jr_state *state = context;
  jri_buffer *warning = &state->warning;
  bool control = warning->length == 0 && !more && piece[0] == '@';
  if (control) return;
  jri_buffer_add(warning, piece, strlen(piece));
  if (more) return;
  if (state->host.log != NULL && warning->length > 0) {
    state->host.log(state->host.context, state->slice.host_run, JR_LOG_WARNING, warning->bytes, warning->length);
  }
  jri_buffer_reset(warning);
}

void jri_open_log(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"debug", say_debug}, {"info", say_info}, {"warn", say_warning}, {"error", say_error}, {NULL, NULL}};
  lua_register(L, "print", say_info);
  luaL_newlib(L, functions);
  lua_setglobal(L, "log");
  lua_setwarnf(L, warn, jri_state(L));
}
