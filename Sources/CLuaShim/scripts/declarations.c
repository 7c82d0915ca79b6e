#include "scripts/declarations.h"

#include "scripts/definitions.h"
#include "scripts/host_text.h"

static int declare(lua_State *L, jri_kind kind) {
  const char *word = jri_kind_word(kind);
  jri_require_loading(L, word);
  const int count = lua_gettop(L);
  luaL_checkstack(L, 12, word);
  jri_push_host_text(L, word, 1, count);
  jri_add_definition(L, kind);
  lua_pushvalue(L, count + 1);
  lua_setiuservalue(L, count + 2, JRI_DEFINITION_TEXT);
  return 0;
}

static int declare_schedule(lua_State *L) { return declare(L, JRI_SCHEDULE); }
static int declare_limit(lua_State *L) { return declare(L, JRI_LIMIT); }

void jri_open_declarations(lua_State *L) {
  lua_register(L, jri_kind_word(JRI_SCHEDULE), declare_schedule);
  lua_register(L, jri_kind_word(JRI_LIMIT), declare_limit);
}
