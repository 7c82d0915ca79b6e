#include "runtime/limits.h"

#include <math.h>

#include "json/number.h"
#include "runtime/run.h"

static void push_seconds(lua_State *L, jri_buffer *number, double seconds) {
  jri_buffer_reset(number);
  if (seconds == floor(seconds) && seconds <= 1e9) {
    jri_json_add_integer(number, (lua_Integer)seconds);
  } else {
    jri_json_add_float(number, seconds);
  }
  if (number->failed) jri_raise_memory(L);
  lua_pushlstring(L, number->bytes, number->length);
}

void jri_push_timeout_error(lua_State *L, const jri_run *run) {
  push_seconds(L, &run->state->note, run->request.timeout);
  lua_pushfstring(L, "%sthe job ran longer than its timeout of %s s", run->state->interruption.place,
                  lua_tostring(L, -1));
  lua_remove(L, -2);
}

static void push_overrun_error(lua_State *L, const jri_run *run) {
  lua_pushfstring(
      L,
      "%sthe job ran too long without suspension and blocked the others of its lane: let it suspend (sleep(0)), "
      "enqueue it with defer, or raise %s",
      run->state->interruption.place, run->state->names->slice_limit);
}

void jri_push_limit_error(lua_State *L, const jri_run *run) {
  if (jri_interrupted(run->state) == JRI_OVERRAN) {
    push_overrun_error(L, run);
  } else {
    jri_push_timeout_error(L, run);
  }
}
