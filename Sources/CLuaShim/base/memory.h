/// What a state may allocate: by itself, and of what it has with others.
#ifndef JOBREACTOR_MEMORY_H
#define JOBREACTOR_MEMORY_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "CLuaShim.h"

typedef struct {
  size_t used;
  size_t limit;          // 0 for none
  jr_budget *budget;     // may be NULL
  size_t granted;        // of the budget; at least what is used
  bool unlimited;        // what is taken now is taken whatever the limits
  bool refused;          // the budget has refused some since the call began
  _Atomic(bool) moving;  // for signal handlers: a block grows or shrinks, and may get another place
  int error;             // registry reference of the error that says so
  char text[160];        // the same error, for when there is no memory to handle it
  char json[164];
} jri_memory;

/// To be called before anything is allocated.
void jri_open_memory(jr_state *state, const jr_options *options);

/// When nothing is allocated any more.
void jri_close_memory(jr_state *state);

/// Grows, shrinks, makes (`block` is NULL) or frees (`new_size` is 0) memory that the state is charged for.
void *jri_reallocate(jr_state *state, void *block, size_t old_size, size_t new_size);

/// Charges the state for memory that its host has on its behalf. False when it may not have that.
bool jri_charge(jr_state *state, size_t bytes);
void jri_discharge(jr_state *state, size_t bytes);

/// Makes the error that names the limit.
void jri_open_limit_error(lua_State *L);

/// Puts it in the place of "not enough memory", at the top, where the limit was the reason. Takes no memory.
void jri_name_limit(lua_State *L);

/// The error, for when there is no memory to handle one: as text and as JSON.
const char *jri_memory_text_of(const jr_state *state);
const char *jri_memory_json_of(const jr_state *state);

#endif
