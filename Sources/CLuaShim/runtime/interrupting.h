/// Who interrupts runs, or asks where they are: from any thread, by a signal to the one that runs.
#ifndef JOBREACTOR_INTERRUPTING_H
#define JOBREACTOR_INTERRUPTING_H

#include "base/state.h"

/// Whether the run was cancelled just before it began.
bool jri_cancelled_ahead(jri_interruption *i, uint64_t number);

#endif
