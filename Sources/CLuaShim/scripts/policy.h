/// The options table of `job(name, options, fn)`.
#ifndef JOBREACTOR_POLICY_H
#define JOBREACTOR_POLICY_H

#include "base/state.h"
#include "runtime/job.h"

/// Reads the table at `index`; raises what is wrong in it.
void jri_read_policy(lua_State *L, int index, jri_policy *policy);

extern const jri_policy jri_no_policy;

#endif
