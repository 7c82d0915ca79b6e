#include "check.h"

#include <stdarg.h>
#include <stdint.h>

int checks_passed, checks_failed;

void check_that(bool good, const char *file, int line, const char *condition, const char *format, ...) {
  if (good) {
    checks_passed++;
    return;
  }
  checks_failed++;
  va_list arguments;
  va_start(arguments, format);
  printf("%s:%d: failed: %s: ", file, line, condition);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
}

static void append(char *to, const char *format, ...) {
  size_t used = strlen(to);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(to + used, TEXT_CAPACITY - used, format, arguments);
  va_end(arguments);
}

static void copy(char *to, jr_bytes from) {
  size_t length = from.length < TEXT_CAPACITY ? from.length : TEXT_CAPACITY - 1;
  if (length > 0) memcpy(to, from.bytes, length);
  to[length] = 0;
}

static void say(void *context, void *run, jr_log_level level, const char *message, size_t length) {
  static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
  fixture *f = context;
  f->last_run = run;
  append(f->said, "%s %.*s\n", levels[level], (int)length, message);
}

bool fixture_open(fixture *f, size_t memory_limit, const char *modules) {
  f->said[0] = f->problems[0] = f->jobs[0] = 0;
  jr_host host = {.context = f, .log = say};
  jr_options options = {.memory_limit = memory_limit, .module_directory = modules};
  f->state = jr_open(&host, &options);
  return f->state != NULL;
}

void fixture_close(fixture *f) {
  jr_close(f->state);
  f->state = NULL;
}

const char *fixture_load_bytes(fixture *f, const char *name, const char *source, size_t length) {
  static char text[TEXT_CAPACITY];
  jr_bytes error;
  if (jr_load_script(f->state, name, source, length, &error)) return NULL;
  copy(text, error);
  return text;
}

const char *fixture_load(fixture *f, const char *name, const char *source) {
  return fixture_load_bytes(f, name, source, strlen(source));
}

static void problem(void *context, jr_problem_severity severity, const char *message, size_t length) {
  fixture *f = context;
  append(f->problems, "%s: %.*s\n", severity == JR_PROBLEM_ERROR ? "error" : "warning", (int)length, message);
}

static void job(void *context, const jr_job_definition *j) {
  fixture *f = context;
  append(f->jobs, "%.*s %s:%d %d %d %g %g\n", (int)j->name_length, j->name, j->file, j->line, j->callbacks, j->errbacks,
         j->max_attempt, j->retry_multiplier);
}

bool fixture_join(fixture *f) {
  f->problems[0] = f->jobs[0] = 0;
  return jr_join_definitions(f->state, f, problem) && jr_list_jobs(f->state, f, job);
}

void fixture_start(fixture *f, const char *source) {
  CHECK(fixture_open(f, 0, NULL), "the state did not open");
  const char *error = fixture_load(f, "jobs/test.lua", source);
  CHECK(error == NULL, "%s", error);
  CHECK(fixture_join(f), "joining failed");
  CHECK(f->problems[0] == 0, "%s", f->problems);
}

const outcome *fixture_run_with(fixture *f, const char *name, const char *args, const char *job_itself, void *run) {
  static outcome out;
  jr_result result;
  jr_request request = {
      .run = run,
      .name = name,
      .name_length = strlen(name),
      .args = args,
      .args_length = strlen(args),
      .job_itself = job_itself,
      .job_itself_length = job_itself != NULL ? strlen(job_itself) : 0,
      .pauses = f->pauses,
  };
  jr_run(f->state, &request, &result);
  copy(out.traceback, result.traceback);
  if (result.outcome == JR_RUN_RAISED) {
    f->paused++;
    copy(out.args, result.args);
    CHECK(strcmp(out.args, args) == 0, "%s: %s", name, out.args);
    copy(out.error, result.error);
    copy(out.message, result.message);
    request.error = out.error;
    request.error_length = strlen(out.error);
    jr_run(f->state, &request, &result);
    CHECK(result.traceback.length == 0, "%s has two tracebacks", name);
    copy(out.errback_error, result.message);
    CHECK(strcmp(out.message, out.errback_error) == 0, "%s: %s, then %s", name, out.message, out.errback_error);
  }
  out.outcome = result.outcome;
  copy(out.args, result.args);
  copy(out.error, result.error);
  copy(out.errback_error, result.errback_error);
  copy(out.message, result.message);
  return &out;
}

const outcome *fixture_run(fixture *f, const char *name, const char *args) {
  return fixture_run_with(f, name, args, NULL, NULL);
}

const char *fixture_round_trip(fixture *f, const char *json, size_t length, bool *good) {
  static char text[TEXT_CAPACITY];
  jr_bytes out;
  *good = jr_json_round_trip(f->state, json, length, &out);
  copy(text, out);
  return text;
}

bool same_members(const char *a, const char *b) {
  int counts[256] = {0};
  for (; *a != 0; a++) counts[(unsigned char)*a]++;
  for (; *b != 0; b++) counts[(unsigned char)*b]--;
  for (int i = 0; i < 256; i++) {
    if (counts[i] != 0) return false;
  }
  return true;
}

char *read_test_file(const char *name) {
  char path[4096];
  const char *folder = getenv("TEST_FOLDER");
  snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ".", name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    CHECK(false, "cannot read %s", path);
    return calloc(1, 1);
  }
  char *text = calloc(1, TEXT_CAPACITY);
  size_t length = fread(text, 1, TEXT_CAPACITY - 1, file);
  text[length] = 0;
  fclose(file);
  return text;
}

typedef struct {
  const char *name;
  void (*run)(void);
} group;

static const group groups[] = {
    {"json", test_json},
    {"json_encoding", test_json_encoding},
    {"scripts", test_scripts},
    {"compile", test_compile},
    {"runs", test_runs},
    {"cancelling", test_cancelling},
    {"interrupting", test_interrupting},
    {"error_handling", test_error_handling},
    {"suspending", test_suspending},
    {"loading", test_loading},
    {"producing", test_producing},
    {"declarations", test_declarations},
    {"environment", test_environment},
    {"memory", test_memory},
    {"setting_names", test_setting_names},
    {"faults", test_faults},
};

/// Runs the groups that the arguments name; without arguments all.
int main(int count, char **names) {
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    bool wanted = count == 1;
    for (int n = 1; n < count; n++) wanted = wanted || strcmp(names[n], groups[i].name) == 0;
    if (wanted) groups[i].run();
  }
  CHECK(test_live_blocks() == 0, "%ld blocks were never freed", test_live_blocks());
  printf("%d passed, %d failed\n", checks_passed, checks_failed);
  return checks_failed == 0 ? 0 : 1;
}
