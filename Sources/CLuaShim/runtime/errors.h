/// What a script raised, as text and as JSON.
#ifndef JOBREACTOR_ERRORS_H
#define JOBREACTOR_ERRORS_H

#include "base/state.h"

/// Fills `message` with the text of the error value at `index` and `json` with its JSON; pushes the value that stands
/// for it in `args.error`: a string, or a copy of a table that can be stored. Raises only "not enough memory".
void jri_describe_error(lua_State *L, int index, jri_buffer *message, jri_buffer *json);

/// Pushes the text of any value; a `__tostring` that raises counts as none. Where one ran into a limit of time or
/// memory, that is the text.
void jri_push_text(lua_State *L, int index);

/// The text alone, from outside a protected call, of the value at the top of the main stack, which is popped. When even
/// that takes more memory than there is, the text is a constant one. Uses the state's `error` buffer.
jr_bytes jri_describe_unprotected(jr_state *state, jri_buffer *message);

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
