/// The garbage collector as scripts set it.
#ifndef JOBREACTOR_COLLECTOR_H
#define JOBREACTOR_COLLECTOR_H

#include "CLuaShim.h"

#include <stdbool.h>

/// What `collectgarbage` takes; what scripts have set while they were loaded, Lua's own where they did not.
typedef struct {
  bool changed;  // since the run began, or ran on, or the script
  bool generational;
  int pause;
  int step_multiplier;
  int step_size;
  int minor;
  int major;
} jri_collector;

/// What a run has changed ends with it, and with its pause: one job's settings are not another's. So does `stop` with
/// the loading.
void jri_restore_collector(jr_state *state);

#endif
