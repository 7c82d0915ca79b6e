/// What scripts define, as they define it: one record for each call of `job`, `job_callback` and `job_errback`.
#ifndef JOBREACTOR_DEFINITIONS_H
#define JOBREACTOR_DEFINITIONS_H

#include "base/state.h"

typedef enum { JRI_JOB = 0, JRI_CALLBACK = 1, JRI_ERRBACK = 2 } jri_kind;

/// The name of the function that makes such a definition.
const char *jri_kind_word(jri_kind kind);

/// Seconds; so that no sum of times overflows.
#define JRI_LONGEST_DELAY 1e9

/// Per-job options; NAN where the script says nothing.
typedef struct {
  double max_attempt;
  double retry_multiplier;
  double jitter;
  double max_retry_delay;
  double timeout;
  jr_backoff backoff;  // the function of one is a user value
} jri_policy;

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

/// A job as joining makes it, a userdata. Its user values: the list of its steps (the body, the callbacks, the
/// errbacks), and its backoff function if it has one.
typedef struct {
  int callbacks;
  int errbacks;
  int line;
  bool told_of_results;  // the log says that what a step returned is lost
  jri_policy policy;
  char file[];
} jri_job;

enum { JRI_JOB_STEPS = 1, JRI_JOB_BACKOFF, JRI_JOB_VALUES = JRI_JOB_BACKOFF };

/// Checks a name, which travels on the wire and in storage keys and is typed on command lines, or (with spaces) a
/// label; raises what is wrong. `word` is who asks, `what` it is. Allocates only to raise.
void jri_check_text(lua_State *L, const char *word, const char *what, int index, bool spaces);

#endif
