#include "base/memory.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A state takes so much of the budget at once, so that few allocations touch what others do as well.
enum { PORTION = 256 * 1024 };

// MARK: The budget

struct jr_budget {
  size_t limit;
  _Atomic(size_t) used;
  _Atomic(uint64_t) refusals;
};

jr_budget *jr_budget_make(size_t limit) {
  jr_budget *budget = malloc(sizeof *budget);
  if (budget == NULL) return NULL;
  budget->limit = limit == 0 ? SIZE_MAX : limit;
  atomic_init(&budget->used, 0);
  atomic_init(&budget->refusals, 0);
  return budget;
}

void jr_budget_free(jr_budget *budget) { free(budget); }

size_t jr_budget_used(const jr_budget *budget) { return atomic_load(&budget->used); }

uint64_t jr_budget_refusals(const jr_budget *budget) { return atomic_load(&budget->refusals); }

bool jr_budget_take(jr_budget *budget, size_t bytes) {
  size_t used = atomic_load(&budget->used);
  do {
    if (bytes > budget->limit || used > budget->limit - bytes) return false;
  } while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
  return true;
}

void jr_budget_give(jr_budget *budget, size_t bytes) { atomic_fetch_sub(&budget->used, bytes); }

/// Has the budget grant so many bytes more.
static bool extend(jri_memory *m, size_t needed) {
  size_t portion = needed > PORTION ? needed : PORTION;
  if (!jr_budget_take(m->budget, portion)) {
    portion = needed;
    if (!jr_budget_take(m->budget, portion)) {
      if (!m->unlimited) {
        m->refused = true;
        atomic_fetch_add(&m->budget->refusals, 1);
        return false;
      }
      atomic_fetch_add(&m->budget->used, portion);
    }
  }
  m->granted += portion;
  return true;
}

// MARK: A state

static bool may_grow(jri_memory *m, size_t extra) {
  if (m->limit != 0 && !m->unlimited) {
    size_t left = m->used < m->limit ? m->limit - m->used : 0;
    if (extra > left) return false;
  }
  if (m->budget == NULL || extra <= m->granted - m->used) return true;
  return extend(m, extra - (m->granted - m->used));
}

/// What is granted and no longer needed goes back, but for a portion.
static void give_back(jri_memory *m) {
  if (m->budget == NULL || m->granted - m->used <= 2 * PORTION) return;
  size_t spare = m->granted - m->used - PORTION;
  m->granted -= spare;
  jr_budget_give(m->budget, spare);
}

/// For the signal handler, which runs on the same thread.
static void set_moving(jri_memory *m, bool moving) {
  atomic_signal_fence(memory_order_seq_cst);
  atomic_store_explicit(&m->moving, moving, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
}

void *jri_reallocate(jri_memory *m, void *block, size_t old_size, size_t new_size) {
  if (new_size == 0) {
    JRI_FREE(block);
    m->used -= old_size;
    give_back(m);
    return NULL;
  }
  if (new_size > old_size && !may_grow(m, new_size - old_size)) return NULL;
  set_moving(m, block != NULL);
  void *moved = JRI_REALLOC(block, new_size);
  set_moving(m, false);
  if (moved == NULL) {
    if (new_size > old_size) return NULL;
    moved = block;  // Lua relies on shrinking to succeed
  }
  m->used = m->used - old_size + new_size;
  if (new_size < old_size) give_back(m);
  return moved;
}

bool jri_charge(jri_memory *m, size_t bytes) {
  if (!may_grow(m, bytes)) return false;
  m->used += bytes;
  return true;
}

void jri_discharge(jri_memory *m, size_t bytes) {
  m->used -= bytes;
  give_back(m);
}

void jri_open_memory(jri_memory *m, const jr_options *options, const jri_setting_names *names) {
  *m = (jri_memory){.limit = options->memory_limit, .budget = options->budget};
  size_t limit = m->budget != NULL ? m->budget->limit : 0;
  const char *unit = limit % (1 << 20) == 0 ? "MiB" : "bytes";
  snprintf(m->text, sizeof m->text, "%s: all Lua states and shared have the %zu %s that they may have together (%s)",
           jri_memory_text, limit % (1 << 20) == 0 ? limit >> 20 : limit, unit, names->memory_limit);
  snprintf(m->json, sizeof m->json, "\"%s\"", m->text);
}

void jri_close_memory(jri_memory *m) {
  assert(m->used == 0);
  if (m->budget != NULL) jr_budget_give(m->budget, m->granted);
}

// MARK: The error

const char jri_memory_text[] = "not enough memory";
const char jri_memory_json[] = "\"not enough memory\"";

void jri_raise_memory(lua_State *L) {
  // Lua made this string when the state opened, and finds it without allocating.
  lua_pushstring(L, jri_memory_text);
  lua_error(L);
  abort();
}

void jri_open_limit_error(lua_State *L, jri_memory *m) {
  lua_pushstring(L, m->text);
  m->error = luaL_ref(L, LUA_REGISTRYINDEX);
}

void jri_name_limit(lua_State *L, const jri_memory *m) {
  if (!m->refused || lua_type(L, -1) != LUA_TSTRING || strcmp(lua_tostring(L, -1), jri_memory_text) != 0) return;
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, m->error);
}

const char *jri_memory_text_of(const jri_memory *m) { return m->refused ? m->text : jri_memory_text; }

const char *jri_memory_json_of(const jri_memory *m) { return m->refused ? m->json : jri_memory_json; }
