/// JSON → Lua values.
#ifndef JOBREACTOR_JSON_DECODE_H
#define JOBREACTOR_JSON_DECODE_H

#include "json/json.h"

/// Pushes the decoded value, or raises. `what` names the value in the error's text; it may be empty. When `invalid` is
/// given it becomes true if the bytes are at fault, and stays as it is if memory is.
void jri_json_decode(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid);

/// As `jri_json_decode`, for bytes that must be one object.
void jri_json_decode_object(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid);

#endif
