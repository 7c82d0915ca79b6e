/// A job, as runs find it.
#ifndef JOBREACTOR_JOB_H
#define JOBREACTOR_JOB_H

#include <stdbool.h>

#include "CLuaShim.h"

/// Seconds; so that no sum of times overflows.
#define JRI_LONGEST_DELAY 1e9

/// Per-job options; NAN where the script says nothing.
typedef struct {
  double max_attempt;
  double retry_multiplier;
  double jitter;
  double max_retry_delay;
  double timeout;
  double priority;
  jr_backoff backoff;  // the function of one is a user value
  bool limited;        // there is an option `limit`: a user value as well
} jri_policy;

/// A job as joining makes it, a userdata. Its user values: the list of its steps (the body, the callbacks, the
/// errbacks), and if it has them its backoff function and the host's text of its limits.
typedef struct {
  int callbacks;
  int errbacks;
  int line;
  bool told_of_results;  // the log says that what a step returned is lost
  jri_policy policy;
  char file[];
} jri_job;

enum { JRI_JOB_STEPS = 1, JRI_JOB_BACKOFF, JRI_JOB_LIMITS, JRI_JOB_VALUES = JRI_JOB_LIMITS };

#endif
