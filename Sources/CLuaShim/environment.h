/// The parts of what a script finds; each opens under the protection of `jr_open`, in the order of `state.c`.
#ifndef JOBREACTOR_ENVIRONMENT_H
#define JOBREACTOR_ENVIRONMENT_H

#include <lua.h>
#include <stdbool.h>

/// What is taken out of the standard libraries or reduced, and where `require` looks.
void jri_open_environment(lua_State *L, const char *module_directory);

/// What `require` finds in the folder of the scripts.
void jri_open_scripts(lua_State *L);

/// `CancelJob`, `cancel_job`, and the functions that could swallow a cancellation.
void jri_open_guarded(lua_State *L);

/// The functions of `coroutine` that run coroutines.
void jri_open_coroutines(lua_State *L);

/// `setmetatable`, so that finalizers can be interrupted.
void jri_open_finalizers(lua_State *L);

/// What of the standard libraries may take long, so that others know where it was called.
void jri_open_calls(lua_State *L);

/// `collectgarbage`, so that what a run sets of the collector ends with it.
void jri_open_collector(lua_State *L);

/// `debug`, without what undoes guards. After `setmetatable`.
void jri_open_debug(lua_State *L);

/// `print`, `log` and warnings.
void jri_open_host(lua_State *L);

/// `json`.
void jri_open_json(lua_State *L);

/// `job`, `job_callback`, `job_errback`, and what `jri_open_declarations` opens.
void jri_open_definitions(lua_State *L);

/// `schedule`, `limit`.
void jri_open_declarations(lua_State *L);

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

/// Raises that the function `word` was called while no job runs, if none does.
void jri_require_running(lua_State *L, const char *word);

/// Raises `CancelJob`, and marks the run as cancelled.
int jri_raise_cancel(lua_State *L);

/// Whether the value is `CancelJob`.
bool jri_is_cancel(lua_State *L, int index);

/// Raises `CancelJob` when this run is cancelled: for every function that may have caught it.
void jri_raise_cancelled(lua_State *L);

#endif
