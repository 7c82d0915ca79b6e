/// Where in a table something stands: `args.items[3].callback`.
#ifndef JOBREACTOR_JSON_PATH_H
#define JOBREACTOR_JSON_PATH_H

#include "base/state.h"

/// Writes `root` and the keys at stack index `first`, `first + 2` and so on, `levels` of them, NULL-terminated. What
/// does not fit ends in dots.
void jri_json_write_path(lua_State *L, const char *root, int first, int levels, char *bytes, size_t capacity);

#endif
