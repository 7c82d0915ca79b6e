#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // the loaded modules, and the registers that a signal has kept
#endif
#include "runtime/sites.h"

#include "runtime/places.h"

// MARK: Before a call

void jri_begin_call(lua_State *L, const char *function) {
  char place[JR_PLACE_SIZE] = "";
  lua_Debug frame;
  for (int level = 1; lua_getstack(L, level, &frame); level++) {
    if (!jri_is_script(L, &frame)) continue;
    jri_write_place(place, &frame);
    break;
  }
  jri_write_call(&jri_state(L)->call, function, place);
}

// MARK: Whether the stack can be looked at

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#include <link.h>
#include <pthread.h>
#include <ucontext.h>

/// The memory of a program or library that is loaded. Nothing is in an empty one.
typedef struct {
  uintptr_t begin, end;
} module;

static _Atomic(uintptr_t) lua_address;
static module lua_module, own_module;

static bool is_in(const module *m, uintptr_t address) { return address >= m->begin && address < m->end; }

static int find(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  module m = {.begin = UINTPTR_MAX, .end = 0};
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    const uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, end = begin + info->dlpi_phdr[i].p_memsz;
    if (begin < m.begin) m.begin = begin;
    if (end > m.end) m.end = end;
  }
  if (is_in(&m, atomic_load(&lua_address))) lua_module = m;
  if (is_in(&m, (uintptr_t)&jri_note_site)) own_module = m;
  return 0;
}

static void find_modules(void) { dl_iterate_phdr(find, NULL); }

void jri_open_sites(lua_CFunction function) {
  static pthread_once_t found = PTHREAD_ONCE_INIT;
  atomic_store(&lua_address, (uintptr_t)function);
  pthread_once(&found, find_modules);
}

/// While it runs code of others the Lua stack is in order: that changes only in Lua's own code. Of what Lua calls there
/// is one thing that it calls while its stack is not: the allocator, as it moves the stack to another block. That is
/// ours, and calls the C library's.
static bool is_readable(const jr_state *state, const void *context) {
#ifdef __x86_64__
  const uintptr_t at = (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
  const uintptr_t at = (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#endif
  if (lua_module.end == 0 || own_module.end == 0 || is_in(&lua_module, at) || is_in(&own_module, at)) return false;
  return !atomic_load_explicit(&state->memory.moving, memory_order_relaxed);
}
#else
void jri_open_sites(lua_CFunction function) { (void)function; }

static bool is_readable(const jr_state *state, const void *context) { return (void)state, (void)context, false; }
#endif

// MARK: Looking

static size_t append(char text[JR_SITE_SIZE], size_t length, const char *part) {
  while (*part != 0 && length < JR_SITE_SIZE - 1) text[length++] = *part++;
  return length;
}

/// `name` is what the script has called; NULL where Lua does not know.
static void write_site(jri_site *site, const lua_Debug *script, const char *name) {
  char text[JR_SITE_SIZE] = "", place[JR_PLACE_SIZE] = "";
  jri_write_place(place, script);
  size_t length = append(text, 0, place);
  length = append(text, length, name != NULL ? " in " : " within C");
  if (name != NULL) append(text, length, name);
  jri_write_site(site, text);
}

void jri_note_site(jr_state *state, lua_State *L, const void *context) {
  enum { DEEPEST = 100 };
  const char *name = NULL;
  lua_Debug frame;
  if (!is_readable(state, context)) return;
  for (int level = 0; level < DEEPEST && lua_getstack(L, level, &frame); level++) {
    const bool is_script = jri_is_script(L, &frame);
    if (level == 0 && frame.what[0] != 'C') return;
    if (is_script) {
      write_site(&state->site, &frame, name);
      return;
    }
    // Of a library it is the function that the script has called, but no `pcall` hides what it calls.
    lua_getinfo(L, "n", &frame);
    if (frame.name != NULL && (name == NULL || frame.what[0] != 'C')) name = frame.name;
  }
}
