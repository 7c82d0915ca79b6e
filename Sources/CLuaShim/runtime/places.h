/// Where scripts are, as errors say it: `file:line`, without the insides of libraries.
#ifndef JOBREACTOR_PLACES_H
#define JOBREACTOR_PLACES_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/// Whether the frame is of a script: not of a library, nor of C.
bool jri_is_script(lua_State *L, lua_Debug *frame);

/// Pushes `file:line: ` of the nearest calling script, or the empty text.
void jri_push_place(lua_State *L);

/// How long `[library]:line: ` at the beginning of the text is; 0 where there is none.
size_t jri_library_place(const char *text, size_t length);

/// Where the text of the error at the top of `L` begins with the place of a library, as `[http]:7: `: puts that of the
/// script before it which is nearest to where `thread` stands. Returns whether it did. May raise "not enough memory".
bool jri_place_error(lua_State *L, lua_State *thread);

/// The same, of an error that has ended the coroutine `thread` and is at its top.
void jri_place_thread_error(lua_State *L, lua_State *thread);

/// The same as a message handler.
int jri_placing_handler(lua_State *L);

/// What calls the handlers of `xpcall`, as `lua_Debug` has it. It has a frame below handlers that are functions of C.
#define JRI_HANDLING_CHUNK "=[xpcall]"

/// Raises a text with that place before it, made as `lua_pushfstring` does.
int jri_raise(lua_State *L, const char *format, ...);

#endif
