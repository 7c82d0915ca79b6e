/// Where reading JSON is at.
#ifndef JOBREACTOR_JSON_DECODER_H
#define JOBREACTOR_JSON_DECODER_H

#include "base/state.h"

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

#endif
