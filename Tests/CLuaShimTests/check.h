/// The tests' own small kit: checks that count, and a state with what it said.
#ifndef JOBREACTOR_CHECK_H
#define JOBREACTOR_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "CLuaShim.h"
#include "stand_ins.h"

extern int checks_passed, checks_failed;

/// Counts a check; a failing one prints where it is, what was expected and `format` with its arguments.
#define CHECK(condition, ...) check_that((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)
void check_that(bool good, const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

enum { TEXT_CAPACITY = 1 << 16 };

/// A state, and text that came out of it, NULL-terminated and cut to the capacity.
typedef struct {
  jr_state *state;
  char said[TEXT_CAPACITY];      // `LEVEL text` lines
  char problems[TEXT_CAPACITY];  // `warning: …` and `error: …` lines
  char jobs[TEXT_CAPACITY];      // lines of jr_list_jobs
  void *last_run;                // of the last thing said
  bool pauses;                   // runs are made of two calls where a step raises
  int paused;                    // how many were
} fixture;

bool fixture_open(fixture *f, size_t memory_limit, const char *modules);
void fixture_close(fixture *f);

/// Loads a script; NULL when good, else the error, valid until the next call.
const char *fixture_load(fixture *f, const char *name, const char *source);
const char *fixture_load_bytes(fixture *f, const char *name, const char *source, size_t length);

/// Joins and lists what was loaded, into the texts.
bool fixture_join(fixture *f);

/// Opens, loads one script that must be good, and joins it.
void fixture_start(fixture *f, const char *source);

/// What a run left, copied and NULL-terminated.
typedef struct {
  jr_run_outcome outcome;
  char args[TEXT_CAPACITY];
  char error[TEXT_CAPACITY];
  char errback_error[TEXT_CAPACITY];
  char message[TEXT_CAPACITY];
  char traceback[TEXT_CAPACITY];
} outcome;

/// Runs a job; the answer is valid until the next run.
const outcome *fixture_run(fixture *f, const char *name, const char *args);
const outcome *fixture_run_with(fixture *f, const char *name, const char *args, const char *job_itself, void *run);

const char *fixture_round_trip(fixture *f, const char *json, size_t length, bool *good);

/// Whether two JSON texts have the same bytes in some order: the order of members is not defined.
bool same_members(const char *a, const char *b);

static inline bool contains(const char *text, const char *part) { return strstr(text, part) != NULL; }

/// A file beside the tests; freed by the caller.
char *read_test_file(const char *name);

void test_json(void);
void test_json_encoding(void);
void test_scripts(void);
void test_compile(void);
void test_runs(void);
void test_cancelling(void);
void test_interrupting(void);
void test_error_handling(void);
void test_suspending(void);
void test_loading(void);
void test_producing(void);
void test_declarations(void);
void test_environment(void);
void test_memory(void);
void test_setting_names(void);
void test_faults(void);

#endif
