/// What scripts define, as they define it: one record for each call of `job`, `job_callback`, `job_errback`, `schedule`
/// and `limit`.
#ifndef JOBREACTOR_DEFINITIONS_H
#define JOBREACTOR_DEFINITIONS_H

#include "base/state.h"
#include "runtime/job.h"

typedef enum { JRI_JOB = 0, JRI_CALLBACK = 1, JRI_ERRBACK = 2, JRI_SCHEDULE = 3, JRI_LIMIT = 4 } jri_kind;

/// Whether such a definition has a function: one that has none is a text of the host.
static inline bool jri_has_function(jri_kind kind) { return kind <= JRI_ERRBACK; }

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
  JRI_DEFINITION_TEXT,  // the host's, of a schedule, a limit, or the limits of a job
  JRI_DEFINITION_VALUES = JRI_DEFINITION_TEXT,
};

/// Raises that the function `word` was called while no script loads, if none does.
void jri_require_loading(lua_State *L, const char *word);

/// Puts a record of that kind into the list of the file that loads, and leaves it at the top.
jri_definition *jri_add_definition(lua_State *L, jri_kind kind);

/// `job`, `job_callback`, `job_errback`.
void jri_open_definitions(lua_State *L);

#endif
