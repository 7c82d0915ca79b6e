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

#endif
