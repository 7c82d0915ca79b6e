/// What scripts define, as they define it: one record for each call of `job`, `job_callback` and `job_errback`.
#ifndef JOBREACTOR_DEFINITIONS_H
#define JOBREACTOR_DEFINITIONS_H

#include "state.h"

typedef enum { JRI_JOB = 0, JRI_CALLBACK = 1, JRI_ERRBACK = 2 } jri_kind;

/// The name of the function that makes such a definition.
const char *jri_kind_word(jri_kind kind);

/// Per-job options; NAN where the script says nothing.
typedef struct {
  double max_attempt;
  double retry_multiplier;
} jri_policy;

/// A userdata with the user values below.
typedef struct {
  jri_kind kind;
  int line;
  jri_policy policy;
} jri_definition;

enum { JRI_DEFINITION_NAME = 1, JRI_DEFINITION_LABEL = 2, JRI_DEFINITION_FILE = 3, JRI_DEFINITION_FUNCTION = 4 };

/// A job as joining makes it, a userdata. Its one user value is the list of its steps: the body, the callbacks, the
/// errbacks.
typedef struct {
  int callbacks;
  int errbacks;
  int line;
  jri_policy policy;
  char file[];
} jri_job;

#endif
