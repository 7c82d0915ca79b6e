#include "check.h"

typedef struct {
  char progress[TEXT_CAPACITY];  // `FRACTION TEXT` lines
  char enqueued[TEXT_CAPACITY];  // a line a call
  char said[TEXT_CAPACITY];
  const char *reply;
  bool good;
} heard;

static void add(char *to, const char *text, size_t length) {
  size_t before = strlen(to);
  if (before + length + 2 > TEXT_CAPACITY) return;
  memcpy(to + before, text, length);
  memcpy(to + before + length, "\n", 2);
}

static void hear_log(void *context, void *run, jr_log_level level, const char *text, size_t length) {
  (void)run, (void)level;
  add(((heard *)context)->said, text, length);
}

static void hear_progress(void *context, void *run, double fraction, const char *text, size_t length) {
  char line[200];
  CHECK(run == NULL, "the run");
  snprintf(line, sizeof line, "%.2f %.*s", fraction, (int)length, text);
  add(((heard *)context)->progress, line, strlen(line));
}

static bool hear_enqueue(void *context, void *run, const char *json, size_t length, jr_bytes *reply) {
  heard *h = context;
  (void)run;
  add(h->enqueued, json, length);
  *reply = (jr_bytes){.bytes = h->reply, .length = strlen(h->reply)};
  return h->good;
}

static void hear_problem(void *context, jr_problem_severity severity, const char *text, size_t length) {
  (void)context, (void)severity, (void)length;
  CHECK(false, "%s", text);
}

static heard h;

static jr_state *start(const char *source, bool can_enqueue) {
  h = (heard){.reply = "[\"id1\"]", .good = true};
  jr_host host = {
      .context = &h, .log = hear_log, .progress = hear_progress, .enqueue = can_enqueue ? hear_enqueue : NULL};
  jr_options options = {0};
  jr_state *state = jr_open(&host, &options);
  jr_bytes error = {0};
  CHECK(state != NULL, "no state");
  bool loaded = jr_load_script(state, "t.lua", source, strlen(source), &error);
  CHECK(loaded, "%.*s", (int)error.length, error.bytes);
  CHECK(jr_join_definitions(state, NULL, hear_problem), "joining");
  return state;
}

static jr_result run(jr_state *state, const char *name, int32_t attempt) {
  static uint64_t number;
  jr_request request = {.name = name,
                        .name_length = strlen(name),
                        .args = "{}",
                        .args_length = 2,
                        .number = ++number,
                        .attempt = attempt};
  jr_result result;
  jr_run(state, &request, &result);
  return result;
}

static const char *reply = "[\"id1\"]";

/// Runs the text as the body of a job and compares its end: the args, or the message.
static void check_body(const char *body, bool can_enqueue, const char *args, const char *message) {
  static char source[TEXT_CAPACITY];
  snprintf(source, sizeof source, "job('j', function(args) %s end)", body);
  jr_state *state = start(source, can_enqueue);
  h.reply = reply;
  jr_result result = run(state, "j", 1);
  if (message == NULL) {
    CHECK(result.outcome == JR_RUN_SUCCEEDED, "%s: %.*s", body, (int)result.message.length, result.message.bytes);
    CHECK(result.args.length == strlen(args) && memcmp(result.args.bytes, args, strlen(args)) == 0, "%s: %.*s", body,
          (int)result.args.length, result.args.bytes);
  } else {
    CHECK(result.outcome == JR_RUN_FAILED, "%s: %d", body, result.outcome);
    CHECK(result.message.length == strlen(message) && memcmp(result.message.bytes, message, strlen(message)) == 0,
          "%s: %.*s, not %s", body, (int)result.message.length, result.message.bytes, message);
  }
  jr_close(state);
}

static void check_progress(void) {
  check_body("progress(0.5) progress(1, 'done') progress(nil, 42) progress(0, true)", false, "{}", NULL);
  CHECK(strcmp(h.progress, "0.50 \n1.00 done\nnan 42\n0.00 true\n") == 0, "%s", h.progress);
  static const char *const bad[][2] = {
      {"progress()", "t.lua:1: progress: expected a fraction, a text or both"},
      {"progress(1.5)", "t.lua:1: progress: the fraction must be a number from 0 to 1, got 1.5"},
      {"progress(-1)", "t.lua:1: progress: the fraction must be a number from 0 to 1, got -1"},
      {"progress(0/0)", "t.lua:1: progress: the fraction must be a number from 0 to 1, got -nan"},
      {"progress('half')", "t.lua:1: progress: the fraction must be a number from 0 to 1, got string"},
      {"retry_in(1)", "t.lua:1: retry_in can only be called in an errback"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) check_body(bad[i][0], false, NULL, bad[i][1]);
  CHECK(h.progress[0] == 0, "%s", h.progress);
}

static void check_enqueue(void) {
  check_body("args.id = enqueue('resize', {w = 200})", true, "{\"id\":\"id1\"}", NULL);
  CHECK(strcmp(h.enqueued, "[{\"name\":\"resize\",\"args\":{\"w\":200}}]\n") == 0, "%s", h.enqueued);
  check_body("args.id = enqueue('resize')", true, "{\"id\":\"id1\"}", NULL);
  CHECK(strcmp(h.enqueued, "[{\"name\":\"resize\",\"args\":{}}]\n") == 0, "%s", h.enqueued);
  check_body("args.id = enqueue('r', nil, {after = 5})", true, "{\"id\":\"id1\"}", NULL);
  CHECK(strcmp(h.enqueued, "[{\"name\":\"r\",\"args\":{},\"options\":{\"after\":5}}]\n") == 0, "%s", h.enqueued);
  reply = "[\"id1\",\"id2\",\"id3\"]";
  check_body("args.ids = enqueue{{'a', {n = 1}}, {name = 'b', args = {n = 2}, options = {after = 1}}, {'c'}}", true,
             "{\"ids\":[\"id1\",\"id2\",\"id3\"]}", NULL);
  CHECK(strcmp(h.enqueued,
               "[{\"name\":\"a\",\"args\":{\"n\":1}},{\"name\":\"b\",\"args\":{\"n\":2},"
               "\"options\":{\"after\":1}},{\"name\":\"c\",\"args\":{}}]\n") == 0,
        "%s", h.enqueued);
  reply = "[\"id1\"]";
  check_body("args.count = #enqueue{}", true, "{\"count\":0}", NULL);
  CHECK(h.enqueued[0] == 0, "%s", h.enqueued);
  static const char *const bad[][2] = {
      {"enqueue()", "t.lua:1: enqueue: the name must be a non-empty string, got nil"},
      {"enqueue(5)", "t.lua:1: enqueue: the name must be a non-empty string, got number"},
      {"enqueue('\\255')", "t.lua:1: enqueue: the name must be valid UTF-8"},
      {"enqueue('r', 5)", "t.lua:1: enqueue: args must be a table, got a number"},
      {"enqueue('r', {}, 'x')", "t.lua:1: enqueue: options must be a table, got a string"},
      {"enqueue('r', {a = {1, print}})", "t.lua:1: enqueue: args.a[2]: a function cannot be stored as JSON"},
      {"enqueue{5}", "t.lua:1: enqueue: job 1: must be a table {name, args, options}, got a number"},
      {"enqueue{{'a'}, {}}", "t.lua:1: enqueue: job 2: the name must be a non-empty string, got nil"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) check_body(bad[i][0], true, NULL, bad[i][1]);
  CHECK(h.enqueued[0] == 0, "%s", h.enqueued);
  check_body("enqueue('r')", false, NULL, "t.lua:1: enqueue is not available here");

  jr_state *state = start("job('j', function(args) enqueue('r') end)", true);
  h.good = false;
  h.reply = "after takes seconds";
  jr_result result = run(state, "j", 1);
  const char *text = "t.lua:1: after takes seconds";
  CHECK(result.outcome == JR_RUN_FAILED && memcmp(result.message.bytes, text, strlen(text)) == 0, "%.*s",
        (int)result.message.length, result.message.bytes);
  jr_close(state);
}

static void check_waits(void) {
  jr_state *state = start(
      "local function fails() error('oops', 0) end\n"
      "job('plain', fails)\n"
      "job('errback', fails)\n"
      "job_errback('errback', function(args) retry_in(9) retry_in(2.5) args.went_on = true end)\n"
      "job('function', {backoff = function(attempt, error) return #error * 10 + attempt end}, fails)\n"
      "job('both', {backoff = function() return 1 end}, fails)\n"
      "job_errback('both', function(args) retry_in(7) end)\n"
      "job('raises', {backoff = function() error('no idea') end}, fails)\n"
      "job('no_number', {backoff = function() return 'soon' end}, fails)\n"
      "job('negative', {backoff = function() return -1 end}, fails)\n"
      "job('cancels', {backoff = function() cancel_job() end}, fails)\n"
      "job('good', {backoff = function() return 1 end}, function() end)\n"
      "job('bad_wait', fails)\n"
      "job_errback('bad_wait', function() retry_in(-1) end)\n",
      false);
  static const struct {
    const char *job;
    double seconds;  // -1 for none
  } waits[] = {{"plain", -1},     {"errback", 2.5}, {"function", 43}, {"both", 7},     {"raises", -1},
               {"no_number", -1}, {"negative", -1}, {"good", -1},     {"bad_wait", -1}};
  for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
    jr_result result = run(state, waits[i].job, 3);
    bool none = result.retry_in != result.retry_in;
    CHECK(waits[i].seconds < 0 ? none : result.retry_in == waits[i].seconds, "%s: %f", waits[i].job, result.retry_in);
  }
  jr_result result = run(state, "cancels", 3);
  CHECK(result.outcome == JR_RUN_FAILED_CANCELLED, "%d", result.outcome);
  CHECK(contains(h.said, "job 'raises': the backoff function raised an error: t.lua:8: no idea"), "%s", h.said);
  CHECK(
      contains(h.said,
               "job 'no_number': the backoff function must return a number of seconds from 0 on, but returned string"),
      "%s", h.said);
  CHECK(contains(h.said,
                 "job 'negative': the backoff function must return a number of seconds from 0 on, but returned -1"),
        "%s", h.said);
  jr_close(state);
}

static void list(void *context, const jr_job_definition *job) {
  (void)context;
  bool plain = strcmp(job->name, "plain") == 0;
  CHECK(job->backoff == (plain ? JR_BACKOFF_UNSET : JR_BACKOFF_EXPONENTIAL), "%d", job->backoff);
  CHECK(plain ? job->jitter != job->jitter : job->jitter == 0.25, "%f", job->jitter);
  CHECK(plain ? job->timeout != job->timeout : job->timeout == 1.5, "%f", job->timeout);
  CHECK(plain ? job->max_retry_delay != job->max_retry_delay : job->max_retry_delay == 60, "%f", job->max_retry_delay);
}

static void check_options(void) {
  jr_state *state = start(
      "job('plain', {max_attempt = 2}, print)\n"
      "job('all', {backoff = 'exponential', jitter = 0.25, timeout = 1.5, max_retry_delay = 60}, print)\n",
      false);
  CHECK(jr_list_jobs(state, NULL, list), "listing");
  jr_close(state);
}

void test_producing(void) {
  check_progress();
  check_enqueue();
  check_waits();
  check_options();
}
