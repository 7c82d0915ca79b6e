/// What scripts define, as they define it: one record for each call of `job`, `job_callback` and `job_errback`.
#ifndef JOBREACTOR_DEFINITIONS_H
#define JOBREACTOR_DEFINITIONS_H

#include "base/state.h"
#include "runtime/job.h"

typedef enum { JRI_JOB = 0, JRI_CALLBACK = 1, JRI_ERRBACK = 2 } jri_kind;

/// The name of the function that makes such a definition.
const char *jri_kind_word(jri_kind kind);

/// A userdata with the user values below.
typedef struct {
  jri_kind kind;
  int line;
  jri_policy policy;
} jri_definition;

enum {
  JRI_DEFINITION_NAME = 1,
  JRI_DEFINITION_LABEL,
  JRI_DEFINITION_FILE,
  JRI_DEFINITION_FUNCTION,
  JRI_DEFINITION_BACKOFF,
  JRI_DEFINITION_VALUES = JRI_DEFINITION_BACKOFF,
};

/// `job`, `job_callback`, `job_errback`.
void jri_open_definitions(lua_State *L);

#endif
