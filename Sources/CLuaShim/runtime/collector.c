#include "runtime/collector.h"

void jri_restore_collector(jr_state *state) {
  jri_collector *c = &state->collector;
  if (!c->changed) return;
  c->changed = false;
  lua_gc(state->lua, LUA_GCRESTART);
  if (c->generational) {
    lua_gc(state->lua, LUA_GCGEN, c->minor, c->major);
  } else {
    lua_gc(state->lua, LUA_GCINC, c->pause, c->step_multiplier, c->step_size);
  }
}
