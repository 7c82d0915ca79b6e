/// What a state is at, as its thread writes it down for others: so nobody has to look at a Lua stack that is in use.
///
/// Both records are sequence locks: the version is odd while the rest is written, so a reader that finds an odd one, or
/// another at its end than at its beginning, reads again. All of it is atomic, so no read is a race; each store is a
/// release and each load an acquire, so that who sees a new word sees the new version, too.
#ifndef JOBREACTOR_ACTIVITY_H
#define JOBREACTOR_ACTIVITY_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "CLuaShim.h"

enum { JRI_PLACE_WORDS = JR_PLACE_SIZE / sizeof(uint64_t), JRI_SITE_WORDS = JR_SITE_SIZE / sizeof(uint64_t) };

/// A call of a C function that may take long.
typedef struct {
  _Atomic(uint32_t) version;
  _Atomic(const char *) function;  // NULL when none is under way
  _Atomic(uint64_t) place[JRI_PLACE_WORDS];
} jri_call;

/// Where a run was found within C. Only the thread that runs writes, in its signal handler and at Lua instructions.
typedef struct {
  _Atomic(uint32_t) version;
  _Atomic(uint64_t) words[JRI_SITE_WORDS];  // of the text, empty for none
} jri_site;

/// The function, a constant, is about to be called from that place.
void jri_write_call(jri_call *call, const char *function, const char place[JR_PLACE_SIZE]);

/// It has returned, or raised. Does nothing when none was under way.
void jri_end_call(jri_call *call);

/// Copies the function and the place. False when they changed meanwhile.
bool jri_read_call(const jri_call *call, jr_activity *out);

/// `file:line` of the frame, which is a script's. May be called in a signal handler.
void jri_write_place(char place[JR_PLACE_SIZE], const lua_Debug *frame);

/// May be called in a signal handler.
void jri_write_site(jri_site *site, const char text[JR_SITE_SIZE]);

/// It has come to a Lua instruction, or something else begins.
void jri_forget_site(jri_site *site);

/// Copies the text. False when it changed meanwhile.
bool jri_read_site(const jri_site *site, char out[JR_SITE_SIZE]);

#endif
