/// The parts of what a script finds. `open.c` opens them, in its order and under protection: each may raise.
#ifndef JOBREACTOR_LIBRARY_H
#define JOBREACTOR_LIBRARY_H

#include <lua.h>

/// What is taken out of the standard libraries or reduced, and where `require` looks.
void jri_open_environment(lua_State *L, const char *module_directory);

/// `CancelJob`, `cancel_job`, and the functions that could swallow a cancellation.
void jri_open_guarded(lua_State *L);

/// The functions of `coroutine` that run coroutines.
void jri_open_coroutine(lua_State *L);

/// `setmetatable`, so that finalizers can be interrupted.
void jri_open_finalizers(lua_State *L);

/// What of the standard libraries may take long, so that others know where it was called.
void jri_open_long_calls(lua_State *L);

/// `collectgarbage`, so that what a run sets of the collector ends with it.
void jri_open_collectgarbage(lua_State *L);

/// `debug`, without what undoes guards. After `setmetatable`.
void jri_open_debug(lua_State *L);

/// `print`, `log` and warnings.
void jri_open_log(lua_State *L);

/// `json`.
void jri_open_json(lua_State *L);

/// `retry_in`.
void jri_open_retrying(lua_State *L);

/// `progress`.
void jri_open_progress(lua_State *L);

/// `enqueue`.
void jri_open_enqueue(lua_State *L);

/// `spawn` and `wait`.
void jri_open_tasks(lua_State *L);

/// Takes away what reaches files, processes and C modules.
void jri_make_strict(lua_State *L);

#endif
