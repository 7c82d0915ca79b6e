/// Lua values → JSON.
#ifndef JOBREACTOR_JSON_ENCODE_H
#define JOBREACTOR_JSON_ENCODE_H

#include "json/json.h"

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

#endif
