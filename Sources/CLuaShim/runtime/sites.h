/// Where a run is within C, when nothing has noted that before: as a signal finds it.
///
/// `calls.h` has the functions of Lua's libraries that may take long. Any other, as one of a module in C, is known only
/// to the Lua stack, which is its thread's own: so the handler of a signal to that thread looks, and leaves a text for
/// others.
#ifndef JOBREACTOR_SITES_H
#define JOBREACTOR_SITES_H

#include <lua.h>
#include <stdatomic.h>
#include <stdint.h>

#include "CLuaShim.h"

enum { JRI_SITE_WORDS = JR_SITE_SIZE / sizeof(uint64_t) };

/// A sequence lock, as `jri_call`. Only the thread that runs writes, in its signal handler and at Lua instructions.
typedef struct {
  _Atomic(uint32_t) version;
  _Atomic(uint64_t) words[JRI_SITE_WORDS];  // of the text, empty for none
} jri_site;

/// Finds what tells a handler whether it may look; `function` is one of Lua's own. Before any state runs.
void jri_open_sites(lua_CFunction function);

/// In a signal handler, on the thread where the coroutine runs: notes where a script has called the function of C that
/// is under way, if one is and the stack can be looked at now. `context` is the handler's.
void jri_note_site(jr_state *state, lua_State *L, const void *context);

/// It has come to a Lua instruction, or something else begins.
void jri_forget_site(jr_state *state);

/// Copies the text. False when it changed meanwhile.
bool jri_read_site(const jri_site *site, char out[JR_SITE_SIZE]);

#endif
