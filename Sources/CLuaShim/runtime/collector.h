/// The garbage collector as scripts set it.
#ifndef JOBREACTOR_COLLECTOR_H
#define JOBREACTOR_COLLECTOR_H

#include "base/state.h"

/// What a run has changed ends with it, and with its pause: one job's settings are not another's. So does `stop` with
/// the loading.
void jri_restore_collector(jr_state *state);

#endif
