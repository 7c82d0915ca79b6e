/// Put in front of the shim's sources in test builds: an allocator that fails on demand; and, when a test says so,
/// timers that cannot be made, time that passes for a thread only while it has a core, and the two functions of the C
/// library that the locale changes, in a locale whose decimal point is a comma.
#ifndef JOBREACTOR_STAND_INS_H
#define JOBREACTOR_STAND_INS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // before the first header, since this stands before the shim's own
#endif

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void *test_realloc(void *block, size_t size);
void test_free(void *block);

/// Of the allocations and growths from now on, the ones from number `first` (1 is the next) to `last` fail.
void test_fail_allocations(long first, long last);

/// Allocations since then that were to fail.
long test_failed_allocations(void);

long test_live_blocks(void);

extern bool test_comma_locale;
int test_snprintf(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
double test_strtod(const char *text, char **end);

extern bool test_no_timers;
int test_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);

/// The shim's clock and its timers go by the time that the thread has had a core, in place of the monotonic clock: a
/// load beside the tests then takes nothing of a timeout. A state keeps to one of the two from its opening to its end.
extern bool test_thread_time;
int test_clock_gettime(clockid_t clock, struct timespec *now);

#ifdef JRI_STAND_INS
#define JRI_TIMER_CREATE test_timer_create
#define JRI_REALLOC test_realloc
#define JRI_FREE test_free
#define JRI_LOADING_SECONDS 1
#define clock_gettime test_clock_gettime
#undef snprintf
#define snprintf test_snprintf
#define strtod test_strtod
#endif

#endif
