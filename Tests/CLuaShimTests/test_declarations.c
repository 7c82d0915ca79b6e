// `schedule`, `limit` and the option `limit` of `job`: the host reads what they are called with, and gives a text to
// keep.
#include "check.h"

typedef struct {
  char heard[TEXT_CAPACITY];  // `WORD JSON` lines
  char listed[TEXT_CAPACITY];
  const char *wrong;  // what the host answers; NULL where it takes all
} host_state;

static host_state h;

static void add(char *to, const char *format, const char *first, const char *text, size_t length) {
  size_t used = strlen(to);
  snprintf(to + used, TEXT_CAPACITY - used, format, first, (int)length, text);
}

static bool hear(void *context, const char *word, const char *json, size_t length, jr_bytes *reply) {
  (void)context;
  add(h.heard, "%s %.*s\n", word, json, length);
  if (h.wrong != NULL) {
    *reply = (jr_bytes){.bytes = h.wrong, .length = strlen(h.wrong)};
    return false;
  }
  *reply = (jr_bytes){.bytes = "kept\0text", .length = 9};
  return true;
}

static void hear_log(void *context, void *run, jr_log_level level, const char *text, size_t length) {
  (void)context, (void)run, (void)level, (void)text, (void)length;
}

static void hear_problem(void *context, jr_problem_severity severity, const char *text, size_t length) {
  (void)context, (void)severity, (void)length;
  CHECK(false, "%s", text);
}

static void list(void *context, const jr_declaration *declaration) {
  (void)context;
  CHECK(declaration->text.length == 9 && memcmp(declaration->text.bytes, "kept\0text", 9) == 0, "the text of %s",
        declaration->word);
  size_t used = strlen(h.listed);
  snprintf(h.listed + used, TEXT_CAPACITY - used, "%s %s:%d\n", declaration->word, declaration->file,
           declaration->line);
}

static void list_job(void *context, const jr_job_definition *job) {
  (void)context;
  if (strcmp(job->name, "plain") == 0) {
    CHECK(job->limits.bytes == NULL && job->priority != job->priority, "%s", job->name);
  } else {
    CHECK(job->limits.length == 9 && job->priority == 7, "%s %g", job->name, job->priority);
  }
}

static jr_state *open_state(const char *wrong) {
  h = (host_state){.wrong = wrong};
  jr_host host = {.log = hear_log, .declare = hear};
  jr_options options = {0};
  jr_state *state = jr_open(&host, &options);
  CHECK(state != NULL, "no state");
  return state;
}

/// NULL when good.
static const char *load(jr_state *state, const char *source) {
  static char text[TEXT_CAPACITY];
  jr_bytes error;
  if (jr_load_script(state, "t.lua", source, strlen(source), &error)) return NULL;
  snprintf(text, sizeof text, "%.*s", (int)error.length, error.bytes);
  return text;
}

static void check_kept(void) {
  jr_state *state = open_state(NULL);
  const char *error = load(state,
                           "schedule('nightly', '30 2 * * *', nil, 'report', {3})\n"
                           "limit('crm', {concurrency = 10})\n"
                           "job('plain', print)\n"
                           "job('limited', {limit = {'crm'}, priority = 7}, print)\n"
                           "job 'curried' (print)\n"
                           "limit()\n");
  CHECK(error == NULL, "%s", error);
  // The job comes with its name.
  CHECK(strcmp(h.heard,
               "schedule [\"nightly\",\"30 2 * * *\",null,\"report\",[3]]\n"
               "limit [\"crm\",{\"concurrency\":10}]\n"
               "job [\"limited\",[\"crm\"]]\n"
               "limit {}\n") == 0,
        "%s", h.heard);
  CHECK(load(state, "schedule('lost') error('bad')") != NULL, "a script that raises");
  CHECK(jr_join_definitions(state, NULL, hear_problem), "joining");
  CHECK(jr_list_declarations(state, NULL, list), "listing");
  // A script that raised leaves none behind.
  CHECK(strcmp(h.listed, "schedule t.lua:1\nlimit t.lua:2\nlimit t.lua:6\n") == 0, "%s", h.listed);
  jr_close(state);

  state = open_state(NULL);
  CHECK(load(state, "job('plain', print)\njob('limited', {limit = 'crm', priority = 7}, print)") == NULL, "loading");
  CHECK(jr_join_definitions(state, NULL, hear_problem), "joining");
  CHECK(jr_list_jobs(state, NULL, list_job), "listing jobs");
  jr_close(state);
}

static void check_wrong(void) {
  static const struct {
    const char *source, *error;
  } wrong[] = {
      {"\nschedule('x', 'y')", "t.lua:2: schedule: all wrong"},
      {"\n\nlimit('x')", "t.lua:3: limit: all wrong"},
      {"job('a', {limit = 5}, print)", "t.lua:1: job: all wrong"},
      {"schedule('x', { 1, print })", "t.lua:1: schedule: argument[2][2]: "},
      {"job('a', {priority = 10}, print)",
       "t.lua:1: job: option 'priority' must be an integer from 0 (last) to 9 (first), got 10"},
      {"job('a', {priority = 1.5}, print)", "t.lua:1: job: option 'priority' must be an integer from 0"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    jr_state *state = open_state("all wrong");
    const char *error = load(state, wrong[i].source);
    CHECK(error != NULL && strncmp(error, wrong[i].error, strlen(wrong[i].error)) == 0, "%s: %s", wrong[i].source,
          error);
    jr_close(state);
  }
}

static void check_late(void) {
  static fixture f;
  fixture_start(&f, "job('late', function() limit('x', {}) end) job('later', function() schedule('x') end)");
  const outcome *out = fixture_run(&f, "late", "{}");
  CHECK(contains(out->message, "limit can only be called while scripts load"), "%s", out->message);
  out = fixture_run(&f, "later", "{}");
  CHECK(contains(out->message, "schedule can only be called while scripts load"), "%s", out->message);
  fixture_close(&f);
}

void test_declarations(void) {
  check_kept();
  check_wrong();
  check_late();
}
