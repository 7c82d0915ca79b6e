/// A run in memory: made, kept while it is suspended, and freed.
#ifndef JOBREACTOR_RUN_MEMORY_H
#define JOBREACTOR_RUN_MEMORY_H

#include "runtime/run.h"

/// Makes a run that is about to be begun; NULL when memory ran out.
jri_run *jri_make_run(jr_state *state);

/// `run` may be NULL.
void jri_free_run(jr_state *state, jri_run *run);

/// The run is over: its memory is for another.
void jri_recycle_run(jri_run *run);

/// Keeps what the phase has on its stack, and the request's bytes. May raise "not enough memory".
void jri_keep_suspended(lua_State *L, jri_run *run);

/// Puts the values of the phase in their places; the run is at its own.
void jri_place_kept(lua_State *L, jri_run *run);

/// The values that were kept are not needed any more.
void jri_forget_kept(lua_State *L, jri_run *run);

/// The stored args as they came. They are copied past the memory limit: a job must not lose its args to it.
jr_bytes jri_stored_args(const jri_run *run);

void jri_add_suspended(jri_run *run);
void jri_remove_suspended(jri_run *run);

/// Frees the runs that are suspended, when the state closes.
void jri_free_suspended(jr_state *state);

#endif
