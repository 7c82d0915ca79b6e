#include "runtime/interrupting.h"

#include <pthread.h>
#include <signal.h>

/// Marks the run if it is under way, and has its thread look. The caller is among the `cancellers`, so that thread
/// waits.
static bool signal_running(jri_interruption *i, uint64_t number, _Atomic(uint64_t) *mark) {
  if (atomic_load(&i->running) != number) return false;
  atomic_store(mark, number);
  pthread_kill(i->thread, SIGURG);
  return true;
}

static void signal_run(jr_state *state, uint64_t number, _Atomic(uint64_t) *mark) {
  jri_interruption *i = &state->interruption;
  if (number == 0) return;
  atomic_fetch_add(&i->cancellers, 1);
  signal_running(i, number, mark);
  atomic_fetch_sub(&i->cancellers, 1);
}

void jr_warn_run(jr_state *state, uint64_t number) { signal_run(state, number, &state->interruption.asked); }

void jr_stop_slice(jr_state *state, uint64_t number) { signal_run(state, number, &state->interruption.overran); }

void jr_cancel_run(jr_state *state, uint64_t number) {
  jri_interruption *i = &state->interruption;
  if (number == 0) return;
  atomic_fetch_add(&i->cancellers, 1);
  if (!signal_running(i, number, &i->cancelled)) {
    atomic_store(&i->ahead[atomic_fetch_add(&i->next_ahead, 1) % JRI_CANCELLED_AHEAD], number);
    // It may have begun in between: either it sees the note or this sees the run.
    signal_running(i, number, &i->cancelled);
  }
  atomic_fetch_sub(&i->cancellers, 1);
}

bool jri_cancelled_ahead(jri_interruption *i, uint64_t number) {
  for (int n = 0; n < JRI_CANCELLED_AHEAD; n++) {
    if (atomic_load(&i->ahead[n]) == number) return number != 0;
  }
  return false;
}

void jr_look(const jr_state *state, jr_activity *out) {
  const jri_interruption *i = &state->interruption;
  *out = (jr_activity){.began = atomic_load(&i->slice_began),
                       .deadline = atomic_load(&i->deadline),
                       .asked = atomic_load(&i->asked),
                       .script = atomic_load(&state->script)};
  // It changes all the time only where no call is long.
  bool good = false;
  for (int attempt = 0; attempt < 100 && !good; attempt++) good = jri_read_call(&state->call, out);
  if (!good) out->function = NULL;
  if (!jri_read_site(&state->site, out->site)) out->site[0] = 0;
}
