/// What scripts define, as they define it: one record for each call of `job`, `job_callback`, `job_errback`, `schedule` and
/// `limit`.
#ifndef JOBREACTOR_DEFINITIONS_H
#define JOBREACTOR_DEFINITIONS_H

#include "state.h"

typedef enum { JRI_JOB = 0, JRI_CALLBACK = 1, JRI_ERRBACK = 2, JRI_SCHEDULE = 3, JRI_LIMIT = 4 } jri_kind;

/// Whether such a definition has a function: one that has none is a text of the host.
static inline bool jri_has_function(jri_kind kind) { return kind <= JRI_ERRBACK; }

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
  double priority;
  jr_backoff backoff;  // the function of one is a user value
  bool limited;        // there is an option `limit`: a user value as well
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
  JRI_DEFINITION_TEXT,  // the host's, of a schedule, a limit, or the limits of a job
  JRI_DEFINITION_VALUES = JRI_DEFINITION_TEXT,
};

/// A job as joining makes it, a userdata. Its user values: the list of its steps (the body, the callbacks, the errbacks),
/// and if it has them its backoff function and the host's text of its limits.
typedef struct {
  int callbacks;
  int errbacks;
  int line;
  bool told_of_results;  // the log says that what a step returned is lost
  jri_policy policy;
  char file[];
} jri_job;

enum { JRI_JOB_STEPS = 1, JRI_JOB_BACKOFF, JRI_JOB_LIMITS, JRI_JOB_VALUES = JRI_JOB_LIMITS };

/// Checks a name, which travels on the wire and in storage keys and is typed on command lines, or (with spaces) a label;
/// raises what is wrong. `word` is who asks, `what` it is. Allocates only to raise.
void jri_check_text(lua_State *L, const char *word, const char *what, int index, bool spaces);

/// Raises that the function `word` was called while no script loads, if none does.
void jri_require_loading(lua_State *L, const char *word);

/// Puts a record of that kind into the list of the file that loads, and leaves it at the top.
jri_definition *jri_add_definition(lua_State *L, jri_kind kind);

/// Hands the values from stack index `first` to `last` to the host, as what `word` was called with, and pushes the text that it
/// gives for them; raises what is wrong with them.
void jri_push_declaration(lua_State *L, const char *word, int first, int last);

#endif
