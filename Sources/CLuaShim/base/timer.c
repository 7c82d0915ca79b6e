#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // signals to one thread
#endif
#include "base/timer.h"

#include <unistd.h>

#ifdef __linux__
// Tests make it fail.
#ifndef JRI_TIMER_CREATE
#define JRI_TIMER_CREATE timer_create
#endif
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static char timer_mark;  // its address tells the timers' signals from others'

/// A timer is not taken back when its run ends, but left to go off: most runs then neither set nor reset one.
void jri_set_timer(jri_timer *timer, uint64_t thread, int64_t when) {
  if (timer->thread != thread) return;
  struct itimerspec at = {.it_value = {.tv_sec = (time_t)(when / JRI_SECOND), .tv_nsec = (long)(when % JRI_SECOND)}};
  atomic_store_explicit(&timer->alarm, when, memory_order_relaxed);
  timer_settime(timer->timer, TIMER_ABSTIME, &at, NULL);
}

void jri_delete_timer(jri_timer *timer) {
  if (timer->thread != 0) timer_delete(timer->timer);
  timer->thread = 0;
}

static bool make_timer(jri_timer *timer, uint64_t thread) {
  jri_delete_timer(timer);
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGURG};
  event.sigev_notify_thread_id = gettid();
  event.sigev_value.sival_ptr = &timer_mark;
  if (JRI_TIMER_CREATE(CLOCK_MONOTONIC, &event, &timer->timer) != 0) return false;
  timer->thread = thread;
  atomic_store_explicit(&timer->alarm, 0, memory_order_relaxed);
  return true;
}

bool jri_start_timer(jri_timer *timer, uint64_t thread, int64_t now, int64_t deadline) {
  if (timer->thread != thread && !make_timer(timer, thread)) return false;
  // One that goes off before the deadline finds it, and is set to it then.
  int64_t alarm = atomic_load_explicit(&timer->alarm, memory_order_relaxed);
  if (alarm <= now || alarm > deadline) jri_set_timer(timer, thread, deadline);
  return true;
}

bool jri_is_timer_signal(const siginfo_t *info) {
  return info->si_code == SI_TIMER && info->si_value.sival_ptr == &timer_mark;
}
#else
void jri_set_timer(jri_timer *timer, uint64_t thread, int64_t when) { (void)timer, (void)thread, (void)when; }

void jri_delete_timer(jri_timer *timer) { (void)timer; }

bool jri_start_timer(jri_timer *timer, uint64_t thread, int64_t now, int64_t deadline) {
  return (void)timer, (void)thread, (void)now, (void)deadline, false;
}

bool jri_is_timer_signal(const siginfo_t *info) { return (void)info, false; }
#endif
