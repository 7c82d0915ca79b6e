/// Where an error came from.
#ifndef JOBREACTOR_TRACEBACKS_H
#define JOBREACTOR_TRACEBACKS_H

#include "base/state.h"

/// Pushes the traceback of `thread` as `luaL_traceback` does, except that frames of libraries, with the functions of C
/// that they have called, are one frame without a place, `[JobReactor]`. May raise "not enough memory".
void jri_push_traceback(lua_State *L, lua_State *thread, int level);

/// Fills `traceback` with that of `thread`, if there is memory for it. Raises nothing.
void jri_keep_traceback(lua_State *L, lua_State *thread, int level, jri_buffer *traceback);

/// Keeps where the error at the top of `L` came from, which has ended the coroutine `thread`, in case it gets further.
/// Raises nothing.
void jri_keep_inner_traceback(lua_State *L, lua_State *thread);

/// Notes that the error at the top is where the traceback that is in `inner_traceback` came from.
void jri_keep_inner_error(lua_State *L);

/// Puts that before the traceback, if it is where the error at the top of `L` came from. Raises nothing.
void jri_join_tracebacks(lua_State *L, jri_buffer *traceback);

#endif
