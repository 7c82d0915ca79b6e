/// JSON ↔ Lua values. Integers stay 64-bit integers, floats floats, arrays carry a metatable that marks them (so that
/// an empty one stays an array), and `null` is `json.null`, a NULL light userdata.
#ifndef JOBREACTOR_JSON_H
#define JOBREACTOR_JSON_H

#include "base/state.h"

/// Nesting that is read and written; the same both ways, so that whatever can be read can be written.
enum { JRI_JSON_DEPTH = 128 };

static inline bool jri_json_is_array(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  bool array = lua_topointer(L, -1) == jri_state(L)->array_metatable_address;
  lua_pop(L, 1);
  return array;
}

#endif
