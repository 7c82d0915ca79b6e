/// The monotonic clock, and a timer that sends the thread of a run a signal.
#ifndef JOBREACTOR_TIMER_H
#define JOBREACTOR_TIMER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define JRI_SECOND INT64_C(1000000000)

/// In nanoseconds. A signal handler may ask.
static inline int64_t jri_clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * JRI_SECOND + now.tv_nsec;
}

typedef struct {
  _Atomic(int64_t) alarm;  // when it goes off, or has gone off
  void *timer;             // a timer_t, a name that strict C hides
  uint64_t thread;         // which it signals; 0 as long as there is no timer
} jri_timer;

/// Has the timer go off at the deadline at the latest, with SIGURG to the calling thread, whose number is `thread`.
/// Returns false where there can be none.
bool jri_start_timer(jri_timer *timer, uint64_t thread, int64_t now, int64_t deadline);

/// Sets it to go off then, if it is the calling thread's. A signal handler may do so.
void jri_set_timer(jri_timer *timer, uint64_t thread, int64_t when);

void jri_delete_timer(jri_timer *timer);

/// Whether a signal is a timer's. A signal handler may ask.
bool jri_is_timer_signal(const siginfo_t *info);

#endif
