/// What a state may allocate: by itself, and of what it has with others.
#ifndef JOBREACTOR_MEMORY_H
#define JOBREACTOR_MEMORY_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "CLuaShim.h"
#include "base/setting_names.h"

// Tests put an allocator in place that fails on demand.
#ifndef JRI_REALLOC
#define JRI_REALLOC realloc
#define JRI_FREE free
#endif

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
void jri_open_memory(jri_memory *m, const jr_options *options, const jri_setting_names *names);

/// When nothing is allocated any more.
void jri_close_memory(jri_memory *m);

/// Grows, shrinks, makes (`block` is NULL) or frees (`new_size` is 0) memory that the state is charged for.
void *jri_reallocate(jri_memory *m, void *block, size_t old_size, size_t new_size);

/// Charges the state for memory that its host has on its behalf. False when it may not have that.
bool jri_charge(jri_memory *m, size_t bytes);
void jri_discharge(jri_memory *m, size_t bytes);

extern const char jri_memory_text[];
extern const char jri_memory_json[];

/// Raises Lua's own "not enough memory".
_Noreturn void jri_raise_memory(lua_State *L);

/// Makes the error that names the limit.
void jri_open_limit_error(lua_State *L, jri_memory *m);

/// Puts it in the place of "not enough memory", at the top, where the limit was the reason. Takes no memory.
void jri_name_limit(lua_State *L, const jri_memory *m);

/// The error, for when there is no memory to handle one: as text and as JSON.
const char *jri_memory_text_of(const jri_memory *m);
const char *jri_memory_json_of(const jri_memory *m);

#endif
