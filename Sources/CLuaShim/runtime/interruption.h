/// Stopping a run from outside, by a cancellation or by its timeout, at no cost as long as nothing does: a signal to
/// the thread that runs it sets a hook on the coroutine that runs at that moment, and the hook ends it at the next Lua
/// instruction. It stays set until the phase of the run is over, so that nothing a script catches gets it any further.
///
/// How the hook ends a coroutine: it yields, which no `pcall` can catch, and whoever resumed the coroutine sees the
/// mark and ends likewise. Where a C function lies between (the comparator of `table.sort`), it raises "not enough
/// memory" instead, which calls no message handler: one would run with hooks switched off. What was raised matters to
/// nobody: `jri_interrupted_step` puts the right error, or the cancellation, in its place.
#ifndef JOBREACTOR_INTERRUPTION_H
#define JOBREACTOR_INTERRUPTION_H

#include "base/state.h"

/// The run becomes one that can be interrupted, and is one until `jri_end_interruption`. `timeout` is in seconds.
void jri_begin_interruption(jr_state *state, uint64_t number, double timeout);
void jri_end_interruption(jr_state *state);

/// As `jri_begin_interruption`, for what runs on the main coroutine without a run: scripts that load, and finalizers.
void jri_begin_aside(jr_state *state);

/// Says in the log when that was too long, which only a finalizer can have been: while `doing`.
void jri_end_aside(jr_state *state, const char *doing);

/// As those two, around the end of the Lua state: finalizers that run then can be interrupted.
void jri_begin_closing(jr_state *state);
void jri_end_closing(jr_state *state);

/// To be asked before `jri_end_interruption`.
jri_time_left jri_time_left_of(const jr_state *state);

/// As `jri_begin_interruption`, for a run that goes on.
void jri_continue_interruption(jr_state *state, uint64_t number, const jri_time_left *left);

/// Fills in where the coroutine is, which is suspended or has been interrupted.
void jri_note_place(jr_state *state, lua_State *thread);

/// The next phase of the run has the whole timeout again. A cancellation stays.
void jri_renew_timeout(jr_state *state);

/// As `lua_resume`; the interruption follows into the coroutine and comes back from it. Of a coroutine that died of an
/// error of its own no hook is left.
int jri_resume(lua_State *from, lua_State *thread, int arguments, int *results);

/// As `lua_resetthread`. A coroutine that an interruption has killed is left as it is: hooks are off in it for good, so
/// that nothing could stop what it would still close.
int jri_close_thread(lua_State *from, lua_State *thread);

/// Ends the function that runs, and in the end the coroutine, because the run is interrupted: `return jri_stop(L)`.
int jri_stop(lua_State *L);

#endif
