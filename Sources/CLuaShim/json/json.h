/// JSON ↔ Lua values. Integers stay 64-bit integers, floats floats, arrays carry a metatable that marks them (so that
/// an empty one stays an array), and `null` is `json.null`, a NULL light userdata.
#ifndef JOBREACTOR_JSON_H
#define JOBREACTOR_JSON_H

#include "base/state.h"
#include "runtime/errors.h"

/// Nesting that is read and written; the same both ways, so that whatever can be read can be written.
enum { JRI_JSON_DEPTH = 128 };

/// Pushes the decoded value, or raises. `what` names the value in the error's text; it may be empty. When `invalid` is
/// given it becomes true if the bytes are at fault, and stays as it is if memory is.
void jri_json_decode(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid);

/// As `jri_json_decode`, for bytes that must be one object.
void jri_json_decode_object(lua_State *L, const char *bytes, size_t length, const char *what, bool *invalid);

/// Parses the number at `*next`, before `end`, and pushes it. Returns NULL with `*next` behind the number; otherwise
/// what was expected at `*next`. May raise.
const char *jri_json_push_number(lua_State *L, const char **next, const char *end);

typedef struct {
  /// Where a key path starts: `args`.
  const char *root;
  /// The root must be an object, and these of its keys are left out; ends with NULL. NULL when any value will do.
  const char *const *object_without;
  /// U+FFFD is written for what is not UTF-8, which fails otherwise.
  bool repairs;
} jri_json_options;

typedef struct {
  const char *problem;  // NULL when memory ran out
  char path[320];
} jri_json_failure;

/// Appends the JSON of the value at the top of the stack. Calls no metamethod and raises nothing.
bool jri_json_encode(lua_State *L, jri_buffer *out, const jri_json_options *options, jri_json_failure *failure);

/// As `jri_json_encode` into an emptied buffer, and once more after collecting garbage (which may run finalizers) when
/// memory was short: the buffer is not Lua's, so Lua does not collect on its behalf.
bool jri_json_encode_collecting(lua_State *L, jri_buffer *out, const jri_json_options *options,
                                jri_json_failure *failure);

/// As `jri_json_encode_collecting`; raises what went wrong.
void jri_json_encode_or_raise(lua_State *L, jri_buffer *out, const jri_json_options *options);

void jri_json_add_integer(jri_buffer *out, lua_Integer value);

/// Adds the shortest text that reads back as the same float and is not taken for an integer.
void jri_json_add_float(jri_buffer *out, lua_Number value);

static inline bool jri_json_is_array(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  bool array = lua_topointer(L, -1) == jri_state(L)->array_metatable_address;
  lua_pop(L, 1);
  return array;
}

#endif
