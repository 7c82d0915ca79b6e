/// Numbers as JSON has them, whatever the locale.
#ifndef JOBREACTOR_JSON_NUMBER_H
#define JOBREACTOR_JSON_NUMBER_H

#include "base/state.h"

/// Parses the number at `*next`, before `end`, and pushes it. Returns NULL with `*next` behind the number; otherwise
/// what was expected at `*next`. May raise.
const char *jri_json_push_number(lua_State *L, const char **next, const char *end);

void jri_json_add_integer(jri_buffer *out, lua_Integer value);

/// Adds the shortest text that reads back as the same float and is not taken for an integer.
void jri_json_add_float(jri_buffer *out, lua_Number value);

#endif
