/// Calls of C functions that may take long: which one is under way, and where a script has called it.
///
/// The thread that runs writes that down before the call. So nobody has to look at a Lua stack that is in use: whoever
/// asks, from whatever thread, reads a copy.
#ifndef JOBREACTOR_CALLS_H
#define JOBREACTOR_CALLS_H

#include <lua.h>
#include <stdatomic.h>
#include <stdint.h>

#include "CLuaShim.h"

enum { JRI_PLACE_WORDS = JR_PLACE_SIZE / sizeof(uint64_t) };

/// A sequence lock: the version is odd while the rest is written, so a reader that finds an odd one, or another at its
/// end than at its beginning, reads again. All of it is atomic, so no read is a race; each store is a release and each
/// load an acquire, so that who sees a new word sees the new version, too.
typedef struct {
  _Atomic(uint32_t) version;
  _Atomic(const char *) function;  // NULL when none is under way
  _Atomic(uint64_t) place[JRI_PLACE_WORDS];
} jri_call;

/// The function is about to be called by the nearest script; `function` is a constant.
void jri_begin_call(lua_State *L, const char *function);

/// `file:line` of the frame, which is a script's. May be called in a signal handler.
void jri_write_place(char place[JR_PLACE_SIZE], const lua_Debug *frame);

/// It has returned, or raised. Does nothing when none was under way.
void jri_end_call(jr_state *state);

#endif
