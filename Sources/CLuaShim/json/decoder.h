/// What reading JSON shares between its files.
#ifndef JOBREACTOR_JSON_DECODER_H
#define JOBREACTOR_JSON_DECODER_H

#include "json/json.h"

typedef struct {
  lua_State *L;
  const char *begin;
  const char *next;
  const char *end;
  const char *what;
  bool *invalid;
  int depth;
} jri_decoder;

/// Raises what was expected at `at`.
_Noreturn void jri_json_fail(jri_decoder *d, const char *at, const char *expected);

/// Pushes the string whose opening quote is next.
void jri_json_push_string(jri_decoder *d);

#endif
