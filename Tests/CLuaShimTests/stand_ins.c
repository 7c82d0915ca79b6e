#include "stand_ins.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

static long counted, fail_first = LONG_MAX, fail_last, failed, live;

void *test_realloc(void *block, size_t size) {
  counted++;
  if (counted >= fail_first && counted <= fail_last) {
    failed++;
    return NULL;
  }
  if (block == NULL) live++;
  return realloc(block, size);
}

void test_free(void *block) {
  if (block != NULL) live--;
  free(block);
}

void test_fail_allocations(long first, long last) {
  counted = 0;
  failed = 0;
  fail_first = first;
  fail_last = last;
}

long test_failed_allocations(void) { return failed; }

long test_live_blocks(void) { return live; }

bool test_no_timers, test_thread_time;

static clockid_t in_place_of(clockid_t clock) {
  return test_thread_time && clock == CLOCK_MONOTONIC ? CLOCK_THREAD_CPUTIME_ID : clock;
}

int test_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer) {
  return test_no_timers ? -1 : timer_create(in_place_of(clock), event, timer);
}

int test_clock_gettime(clockid_t clock, struct timespec *now) { return clock_gettime(in_place_of(clock), now); }

bool test_comma_locale;

int test_snprintf(char *out, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(out, size, format, arguments);
  va_end(arguments);
  char *point = test_comma_locale && strchr(format, '%') != NULL ? strchr(out, '.') : NULL;
  if (point != NULL) *point = ',';
  return length;
}

double test_strtod(const char *text, char **end) {
  if (!test_comma_locale) return strtod(text, end);
  char copy[4096];
  size_t length = strcspn(text, ".");  // a point ends the number in such a locale
  if (length >= sizeof copy) length = sizeof copy - 1;
  memcpy(copy, text, length);
  copy[length] = 0;
  char *comma = strchr(copy, ',');
  if (comma != NULL) *comma = '.';
  char *stop;
  double value = strtod(copy, &stop);
  if (end != NULL) *end = (char *)text + (stop - copy);
  return value;
}
