// Jobs that pause: the host is the test, which wakes each with the numbers 1, 2, 3 …
#include "check.h"

enum { MOST_WAITING = 64 };

typedef struct {
  uint64_t token;
  char word[16];
} waiting;

typedef struct {
  jr_state *state;
  waiting queue[MOST_WAITING];
  int count;
  int woken;
  int abandoned;
  char said[TEXT_CAPACITY];
} host;

static void start(void *context, void *run, uint64_t token, int number, const jr_value *arguments, size_t count,
                  jr_answer *answer) {
  host *h = context;
  (void)run;
  CHECK(number == 7, "number %d", number);
  waiting *w = &h->queue[h->count];
  w->token = token;
  w->word[0] = 0;
  if (count > 0 && arguments[0].kind == JR_STRING) {
    snprintf(w->word, sizeof w->word, "%.*s", (int)arguments[0].bytes.length, arguments[0].bytes.bytes);
  }
  if (strcmp(w->word, "raise") == 0) {
    answer->error = (jr_bytes){.bytes = "not now", .length = 7};
    return;
  }
  h->count++;
}

static void leave(void *context, uint64_t token) {
  host *h = context;
  h->abandoned++;
  int kept = 0;
  for (int i = 0; i < h->count; i++) {
    if (h->queue[i].token != token) h->queue[kept++] = h->queue[i];
  }
  CHECK(kept == h->count - 1, "what was abandoned did not wait");
  h->count = kept;
}

static void say(void *context, void *run, jr_log_level level, const char *message, size_t length) {
  host *h = context;
  (void)run, (void)level;
  size_t used = strlen(h->said);
  snprintf(h->said + used, sizeof h->said - used, "%.*s\n", (int)length, message);
}

static void problem(void *context, jr_problem_severity severity, const char *message, size_t length) {
  (void)context, (void)severity;
  CHECK(false, "%.*s", (int)length, message);
}

static void open_host(host *h, size_t memory_limit) {
  static const jr_function functions[] = {{.name = "pause", .number = 7, .suspends = true}};
  static const char library[] = "host = ...";
  jr_bytes error;
  *h = (host){.count = 0};
  jr_host functions_of_host = {.context = h, .log = say, .start = start, .abandon = leave};
  jr_options options = {.memory_limit = memory_limit};
  h->state = jr_open(&functions_of_host, &options);
  CHECK(jr_open_library(h->state, "host", library, sizeof library - 1, functions, 1, &error), "%s", error.bytes);
  char *source = read_test_file("scripts/suspending.lua");
  CHECK(jr_load_script(h->state, "jobs/s.lua", source, strlen(source), &error), "%.*s", (int)error.length, error.bytes);
  free(source);
  CHECK(jr_join_definitions(h->state, NULL, problem), "joining failed");
}

/// Wakes what has waited longest.
static bool wake(host *h, jr_result *result) {
  waiting w = h->queue[0];
  h->count--;
  memmove(h->queue, h->queue + 1, sizeof *h->queue * (size_t)h->count);
  jr_value values[6] = {{.kind = JR_INTEGER, .integer = ++h->woken}};
  jr_answer answer = {.values = values, .count = 1};
  if (strcmp(w.word, "error") == 0) answer.error = (jr_bytes){.bytes = "broken", .length = 6};
  if (strcmp(w.word, "values") == 0) {
    values[0] = (jr_value){.kind = JR_NIL};
    values[1] = (jr_value){.kind = JR_BOOLEAN, .boolean = true};
    values[2] = (jr_value){.kind = JR_INTEGER, .integer = 1};
    values[3] = (jr_value){.kind = JR_NUMBER, .number = 1.5};
    values[4] = (jr_value){.kind = JR_STRING, .bytes = {.bytes = "text", .length = 4}};
    values[5] = (jr_value){.kind = JR_JSON, .bytes = {.bytes = "{\"k\":[1,2]}", .length = 11}};
    answer.count = 6;
  }
  return jr_resume(h->state, w.token, &answer, result);
}

static jr_request request_of(const char *name) {
  static uint64_t number;
  return (jr_request){
      .name = name, .name_length = strlen(name), .args = "{\"k\":1}", .args_length = 7, .number = ++number};
}

typedef struct {
  jr_run_outcome outcome;
  char args[TEXT_CAPACITY];
  char message[TEXT_CAPACITY];
  char traceback[TEXT_CAPACITY];
  char step[200];
} came;

static void copy(char *to, size_t size, jr_bytes from) {
  snprintf(to, size, "%.*s", (int)from.length, from.length > 0 ? from.bytes : "");
}

/// Runs a job to its end.
static const came *run_through(host *h, const char *name) {
  static came c;
  jr_result result;
  jr_request request = request_of(name);
  h->woken = 0;
  jr_run(h->state, &request, &result);
  while (result.outcome == JR_RUN_SUSPENDED) {
    CHECK(jr_suspended_count(h->state) == 1, "%zu are suspended", jr_suspended_count(h->state));
    CHECK(h->count > 0, "%s waits for nothing", name);
    if (h->count == 0 || !wake(h, &result)) break;
  }
  c.outcome = result.outcome;
  copy(c.args, sizeof c.args, result.args);
  copy(c.message, sizeof c.message, result.message);
  copy(c.traceback, sizeof c.traceback, result.traceback);
  copy(c.step, sizeof c.step, result.step);
  CHECK(h->count == 0, "%s left %d waiting", name, h->count);
  CHECK(jr_suspended_count(h->state) == 0, "%s is still suspended", name);
  return &c;
}

/// Of each job, what its args must contain.
static const char *const expected[][2] = {
    {"plain", "\"r\":3"},
    {"steps", "\"r\":12"},
    {"in_pcall", "\"r\":1"},
    {"in_xpcall", "\"r\":1"},
    {"in_wrap", "\"r\":113"},
    {"in_resume", "\"r\":11"},
    {"deep", "\"r\":1"},
    {"in_iterator", "\"r\":6"},
    {"in_index", "\"r\":3"},
    {"host_raises", "jobs/s.lua:39: not now"},
    {"woken_with_error", "jobs/s.lua:3: broken"},
    {"values", "\"r\":\"nil true integer 1.5 text 2\""},
    {"in_sort", "pause: a job cannot suspend inside table.sort: do it before or after"},
    {"in_gsub", "jobs/s.lua:3: pause: a job cannot suspend inside string.gsub"},
    {"in_require", "a job cannot suspend inside require"},
    {"in_tostring", "a job cannot suspend inside tostring"},
    {"in_sort_in_wrap", "a job cannot suspend inside table.sort"},
    {"in_finalizer", "a job cannot suspend in a finalizer (__gc)"},
    {"in_load", "a job cannot suspend inside load"},
    {"tasks", "\"r\":\"11 2 more\""},
    {"not_awaited", "\"r\":\"done\""},
    {"seen_error", "\"r\":7"},
    {"awaited_later", "\"r\":\"early\""},
    {"cancelled_task", "\"r\":\"truefalsecancelledniltrue\""},
    {"cancels_itself", "\"r\":\"before\""},
    {"many_waiters", "\"r\":5"},
    {"own_wait", "wait: the task would wait for itself"},
    {"cycle", "wait: the task would wait for itself"},
    {"nested_tasks", "\"r\":3"},
    {"daemon", "\"r\":2"},
    {"held", "false: cannot resume a coroutine in which a job is suspended, cannot close a pausing coroutine, 1"},
    {"resumes_host", "\"r\":\"jobs/s.lua:144: cannot resume the coroutine of a job or a task: it goes on by itself; "},
    {"task_argument", "wait: expected a task, as from spawn, after or every, got number"},
};

static void check_ends(void) {
  static host h;
  open_host(&h, 0);
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    const came *c = run_through(&h, expected[i][0]);
    CHECK(c->outcome == JR_RUN_SUCCEEDED, "%s: outcome %d, %s", expected[i][0], c->outcome, c->message);
    CHECK(contains(c->args, expected[i][1]), "%s: %s", expected[i][0], c->args);
  }
  const came *c = run_through(&h, "raises_after");
  CHECK(c->outcome == JR_RUN_FAILED && contains(c->args, "\"r\":\"after2\""), "%d %s", c->outcome, c->args);
  CHECK(strcmp(c->message, "after") == 0, "%s", c->message);
  CHECK(contains(c->traceback, "jobs/s.lua"), "%s", c->traceback);
  c = run_through(&h, "unseen_error");
  CHECK(c->outcome == JR_RUN_FAILED && contains(c->args, "from a task"), "%d %s", c->outcome, c->args);
  c = run_through(&h, "cancel_in_task");
  CHECK(c->outcome == JR_RUN_CANCELLED && contains(c->args, "\"r\":1"), "%d %s", c->outcome, c->args);
  c = run_through(&h, "traceback");
  CHECK(c->outcome == JR_RUN_FAILED && contains(c->message, "deep"), "%d %s", c->outcome, c->message);
  // The coroutine, the task that ran it, the job.
  const char *inner = strstr(c->traceback, "in function <jobs/s.lua:138>");
  const char *task = inner != NULL ? strstr(inner, "in function <jobs/s.lua:139>") : NULL;
  const char *body = task != NULL ? strstr(task, "in function <jobs/s.lua:137>") : NULL;
  CHECK(body != NULL, "%s", c->traceback);
  jr_close(h.state);
}

/// Many at once, woken in another order than they came.
static void check_many(void) {
  static host h;
  open_host(&h, 0);
  jr_result result;
  size_t before = jr_memory_used(h.state);
  enum { MANY = MOST_WAITING - 1 };
  for (int i = 0; i < MANY; i++) {
    jr_request request = request_of("plain");
    jr_run(h.state, &request, &result);
    CHECK(result.outcome == JR_RUN_SUSPENDED && result.suspended != NULL, "outcome %d", result.outcome);
  }
  CHECK(jr_suspended_count(h.state) == MANY, "%zu", jr_suspended_count(h.state));
  size_t each = (jr_memory_used(h.state) - before) / MANY;
  CHECK(each < 2048, "a suspended job takes %zu bytes", each);
  printf("a suspended job takes %zu bytes of Lua's memory\n", each);
  int done = 0, turn = 0;
  while (h.count > 0) {
    waiting w = h.queue[0];
    int at = turn++ % h.count;
    h.queue[0] = h.queue[at];
    h.queue[at] = w;
    h.woken = 0;
    CHECK(wake(&h, &result), "nobody waited");
    if (result.outcome != JR_RUN_SUSPENDED) done++;
  }
  CHECK(done == MANY, "%d ended", done);
  // What is stale wakes nobody.
  jr_answer answer = {NULL, 0, {NULL, 0}};
  CHECK(!jr_resume(h.state, 1, &answer, &result) && !jr_resume(h.state, 1000000, &answer, &result), "somebody waited");
  jr_close(h.state);
}

static void check_ended_from_outside(void) {
  static host h;
  open_host(&h, 0);
  jr_result result;
  // Every job that pauses, ended at its first pause, and at its second.
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    for (int pauses = 1; pauses <= 2; pauses++) {
      for (int reason = JR_END_CANCELLED; reason <= JR_END_TIMED_OUT; reason++) {
        const char *name = expected[i][0];
        jr_request request = request_of(name);
        request.timeout = 1000;
        jr_run(h.state, &request, &result);
        for (int n = 1; n < pauses && result.outcome == JR_RUN_SUSPENDED; n++) wake(&h, &result);
        if (result.outcome != JR_RUN_SUSPENDED) continue;
        CHECK(result.deadline != 0, "%s has no deadline", name);
        jr_end_suspended(h.state, result.suspended, (jr_end_reason)reason, &result);
        jr_run_outcome outcome = reason == JR_END_CANCELLED ? JR_RUN_CANCELLED : JR_RUN_FAILED;
        CHECK(result.outcome == outcome, "%s: outcome %d", name, result.outcome);
        CHECK(h.count == 0 && jr_suspended_count(h.state) == 0, "%s left %d", name, h.count);
        if (reason != JR_END_TIMED_OUT) continue;
        CHECK(result.message.length > 0 && strstr(result.message.bytes, "longer than its timeout of 1000 s") != NULL,
              "%s: %.*s", name, (int)result.message.length, result.message.bytes);
        CHECK(strncmp(result.message.bytes, "jobs/s.lua:", 11) == 0, "%s: %.*s", name, (int)result.message.length,
              result.message.bytes);
        CHECK(result.traceback.length > 0, "%s has no traceback", name);
      }
    }
  }
  jr_request request = request_of("raises_after");
  jr_run(h.state, &request, &result);
  jr_end_suspended(h.state, result.suspended, JR_END_TIMED_OUT, &result);
  CHECK(result.outcome == JR_RUN_SUSPENDED, "the errback does not pause: %d", result.outcome);
  h.woken = 0;
  wake(&h, &result);
  CHECK(result.outcome == JR_RUN_FAILED && result.traceback.length > 0, "outcome %d", result.outcome);
  // Suspended ones end with their state.
  request = request_of("tasks");
  jr_run(h.state, &request, &result);
  CHECK(result.outcome == JR_RUN_SUSPENDED, "outcome %d", result.outcome);
  jr_close(h.state);
}

/// Every allocation of every job fails, alone and with those after it: no crash, and it comes to an end.
static void check_faults(void) {
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    for (long n = 1;; n++) {
      static host h;
      open_host(&h, 0);
      jr_result result;
      jr_request request = request_of(expected[i][0]);
      test_fail_allocations(n, n + 3);
      jr_run(h.state, &request, &result);
      for (int turn = 0; result.outcome == JR_RUN_SUSPENDED && turn < 100; turn++) {
        if (h.count == 0) break;
        wake(&h, &result);
      }
      bool failed = test_failed_allocations() > 0;
      test_fail_allocations(1L << 60, 0);
      CHECK(result.outcome != JR_RUN_SUSPENDED, "%s, %ld: never ends", expected[i][0], n);
      CHECK(h.count == 0, "%s, %ld: %d wait", expected[i][0], n, h.count);
      jr_close(h.state);
      if (!failed) break;
    }
  }
}

void test_suspending(void) {
  check_ends();
  check_many();
  check_ended_from_outside();
  check_faults();
}
