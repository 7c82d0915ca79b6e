/// The parts of what a script finds; each opens under the protection of `jr_open`, in the order of `state.c`.
#ifndef JOBREACTOR_ENVIRONMENT_H
#define JOBREACTOR_ENVIRONMENT_H

#include <lua.h>
#include <stdbool.h>

/// What is taken out of the standard libraries or reduced, and where `require` looks.
void jri_open_environment(lua_State *L, const char *module_directory);

/// `CancelJob`, `cancel_job`, and the functions that could swallow a cancellation.
void jri_open_guarded(lua_State *L);

/// `print`, `log` and warnings.
void jri_open_host(lua_State *L);

/// `json`.
void jri_open_json(lua_State *L);

/// `job`, `job_callback`, `job_errback`.
void jri_open_definitions(lua_State *L);

/// Whether the value is `CancelJob`.
bool jri_is_cancel(lua_State *L, int index);

/// Raises `CancelJob` when this run is cancelled: for every function that may have caught it.
void jri_raise_cancelled(lua_State *L);

#endif
