#define _GNU_SOURCE  // memmem
#include "check.h"

static const char jobs[] =
    "job('good', function(args) args.list = {} for i = 1, 10 do args.list[i] = {i = i} end end)\n"
    "job('failing', function(args) args.x = {} error('boom') end)\n"
    "job_errback('failing', function(args) args.n = (args.n or 0) + 1 end)\n"
    "job('table', function(args) error{code = 1, message = 'said'} end)\n"
    "job('cancelled', function(args) args.x = {} pcall(cancel_job) end)\n"
    "job('errback_cancelled', function(args) error('x') end)\n"
    "job_errback('errback_cancelled', function(args) cancel_job() end)\n"
    "job('bad_args', function(args) args.f = print end)\n"
    "job('yields', function(args) local x <close> = setmetatable({}, {__close = function() end}) "
    "coroutine.yield() end)\n"
    "job('deep', function(args) local function f(n) if n > 0 then return 1 + f(n - 1) end "
    "error('deep') end f(100) end)\n"
    "job('nested', function(args) coroutine.wrap(function() pcall(function() coroutine.yield() end) end)() end)\n"
    "job('collect', function() collectgarbage() collectgarbage() end)\n"
    "job('greedy', function(args) local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end end)\n"
    "job_errback('greedy', function(args) args.seen = args.error end)\n"
    "job('hoards', function(args) hoard = hoard or {} while true do hoard[#hoard + 1] = "
    "('x'):rep(100) .. #hoard end end)\n"
    "job_errback('hoards', function(args) args.seen = args.error end)\n"
    "job('releases', function(args) hoard = nil end)\n"
    "job('large_args', function(args) local s = ('x'):rep(300000) local t = {} for i = 1, 100 do "
    "t[i] = s end args.t = t end)\n"
    "job_errback('large_args', function(args) args.seen = args.error end)\n"
    "job('one_string', function(args) args.x = ('x'):rep(1 << 30) end)\n"
    "job('catches', function(args) local good, text = pcall(string.rep, 'x', 1 << 30) args.text = text end)\n"
    "job('garbage', function(args) for i = 1, 20000 do local s = ('x'):rep(100) .. i end args.s = "
    "('y'):rep(100000) end)\n";

/// Memory after many runs of every kind is what it was after a few.
static void check_level(void) {
  static const char *const names[] = {"good",     "failing", "table",  "cancelled", "errback_cancelled",
                                      "bad_args", "yields",  "nested", "deep",      "undefined"};
  enum { NAMES = sizeof names / sizeof names[0], RUNS = 100000 };
  static fixture f;
  fixture_start(&f, jobs);
  size_t before = 0;
  for (int i = 0; i < RUNS; i++) {
    jr_result result;
    const char *name = names[i % NAMES];
    jr_request request = {.name = name, .name_length = strlen(name), .args = "{\"n\":0}", .args_length = 7};
    jr_run(f.state, &request, &result);
    if (i == RUNS / 100 || i == RUNS - 1) {
      fixture_run(&f, "collect", "{}");
      if (i != RUNS - 1) before = jr_memory_used(f.state);
    }
  }
  size_t after = jr_memory_used(f.state);
  CHECK(after <= before + 1024, "%zu bytes became %zu after %d runs", before, after, RUNS);
  fixture_close(&f);
}

static void check_limit(void) {
  enum { LIMIT = 3000000 };
  static fixture f;
  CHECK(fixture_open(&f, LIMIT, NULL), "the state did not open");
  CHECK(fixture_load(&f, "jobs/test.lua", jobs) == NULL && fixture_join(&f), "the script did not load");
  for (int round = 0; round < 3; round++) {
    const outcome *out = fixture_run(&f, "greedy", "{\"k\":1}");
    CHECK(out->outcome == JR_RUN_FAILED && strcmp(out->message, "not enough memory") == 0, "%d %s", out->outcome,
          out->message);
    CHECK(same_members(out->args, "{\"k\":1,\"seen\":\"not enough memory\"}"), "%s", out->args);
    out = fixture_run(&f, "one_string", "{\"k\":1}");
    CHECK(out->outcome == JR_RUN_FAILED && strcmp(out->error, "\"not enough memory\"") == 0, "%s", out->error);
    out = fixture_run(&f, "large_args", "{}");
    CHECK(out->outcome == JR_RUN_FAILED && strcmp(out->args, "{\"seen\":\"not enough memory\"}") == 0, "%s", out->args);
    out = fixture_run(&f, "catches", "{}");
    CHECK(strcmp(out->args, "{\"text\":\"not enough memory\"}") == 0, "%s", out->args);
    // Garbage is collected before a buffer of ours is refused.
    out = fixture_run(&f, "garbage", "{}");
    CHECK(out->outcome == JR_RUN_SUCCEEDED, "%s", out->message);
    // Memory that a script keeps: later runs have what is left, or fail.
    out = fixture_run(&f, "hoards", "{\"k\":1}");
    CHECK(out->outcome == JR_RUN_FAILED && strcmp(out->message, "not enough memory") == 0, "%s", out->message);
    CHECK(strcmp(out->args, "{\"k\":1}") == 0 || contains(out->args, "seen"), "%s", out->args);
    CHECK(jr_memory_used(f.state) <= LIMIT, "%zu bytes", jr_memory_used(f.state));
    out = fixture_run(&f, "releases", "{}");
    out = fixture_run(&f, "collect", "{}");
    out = fixture_run(&f, "good", "{}");
    CHECK(out->outcome == JR_RUN_SUCCEEDED, "%s", out->message);
  }
  fixture_close(&f);
}

/// Stored args larger than the limit: the job fails, and keeps them.
static void check_large_stored_args(void) {
  enum { SIZE = 8000000 };
  static fixture f;
  CHECK(fixture_open(&f, 1000000, NULL), "the state did not open");
  CHECK(fixture_load(&f, "jobs/test.lua", jobs) == NULL && fixture_join(&f), "the script did not load");
  char *args = malloc(SIZE);
  memset(args, 'x', SIZE);
  memcpy(args, "{\"a\":\"", 6);
  memcpy(args + SIZE - 2, "\"}", 2);
  jr_request request = {.name = "failing", .name_length = 7, .args = args, .args_length = SIZE};
  jr_result result;
  jr_run(f.state, &request, &result);
  CHECK(result.outcome == JR_RUN_FAILED, "outcome %d", result.outcome);
  CHECK(result.args.length == SIZE && memcmp(result.args.bytes, args, SIZE) == 0, "the stored args were lost");
  CHECK(result.args.bytes != args, "the args are not a copy");
  CHECK(result.message.length == 17 && memcmp(result.message.bytes, "not enough memory", 17) == 0, "%.*s",
        (int)result.message.length, result.message.bytes);
  free(args);
  const outcome *out = fixture_run(&f, "good", "{}");
  CHECK(out->outcome == JR_RUN_SUCCEEDED, "%s", out->message);
  CHECK(jr_memory_used(f.state) < 1000000, "%zu bytes", jr_memory_used(f.state));
  fixture_close(&f);
}

static void ignore(void *context, jr_problem_severity severity, const char *text, size_t length) {
  (void)context, (void)severity, (void)text, (void)length;
}

static void begin(void *context, void *run, uint64_t token, int number, const jr_value *arguments, size_t count,
                  jr_answer *answer) {
  uint64_t *last = context;
  (void)run, (void)number, (void)arguments, (void)count, (void)answer;
  *last = token;
}

/// With a function `pause`, whose last token the context gets.
static jr_state *open_within(jr_budget *budget, uint64_t *last, const char *source) {
  static const char pausing[] = "local host = ... pause = host.pause";
  static const jr_function functions[] = {{.name = "pause", .number = 1, .suspends = true}};
  jr_host host = {.context = last, .start = begin};
  jr_options options = {.budget = budget};
  jr_state *state = jr_open(&host, &options);
  jr_bytes error = {0};
  CHECK(state != NULL, "the state did not open");
  CHECK(jr_open_library(state, "test", pausing, sizeof pausing - 1, functions, 1, &error), "%s", error.bytes);
  CHECK(jr_load_script(state, "jobs/test.lua", source, strlen(source), &error), "%s", error.bytes);
  CHECK(jr_join_definitions(state, NULL, ignore), "joining failed");
  return state;
}

static jr_result run_in(jr_state *state, const char *name, const char *args, size_t length) {
  static uint64_t number;
  jr_request request = {.name = name,
                        .name_length = strlen(name),
                        .args = args,
                        .args_length = length,
                        .number = ++number,
                        .pauses = true};
  jr_result result;
  jr_run(state, &request, &result);
  if (result.outcome != JR_RUN_RAISED) return result;
  static char error[TEXT_CAPACITY];
  snprintf(error, sizeof error, "%.*s", (int)result.error.length, result.error.bytes);
  request.error = error;
  request.error_length = strlen(error);
  jr_run(state, &request, &result);
  return result;
}

static bool is(jr_bytes bytes, const char *text) {
  return bytes.length == strlen(text) && memcmp(bytes.bytes, text, bytes.length) == 0;
}

static const char shared_limit[] =
    "not enough memory: all Lua states and shared have the 16 MiB that they may have together (memoryLimit)";

/// States have a limit together, and who meets it is told of it.
static void check_budget(void) {
  jr_budget *budget = jr_budget_make(16 << 20);
  jr_state *one = open_within(budget, NULL, jobs), *other = open_within(budget, NULL, jobs);
  jr_result result = run_in(one, "hoards", "{}", 2);
  CHECK(result.outcome == JR_RUN_FAILED, "%d", result.outcome);
  CHECK(jr_budget_used(budget) <= 16 << 20 && jr_budget_used(budget) > 12 << 20, "%zu", jr_budget_used(budget));
  for (int round = 0; round < 3; round++) {
    result = run_in(other, "greedy", "{}", 2);
    CHECK(result.outcome == JR_RUN_FAILED && is(result.message, shared_limit), "%d %.*s", result.outcome,
          (int)result.message.length, result.message.bytes);
    result = run_in(other, "catches", "{}", 2);
    CHECK(result.args.length > 50 && memmem(result.args.bytes, result.args.length, shared_limit, strlen(shared_limit)),
          "%.*s", (int)result.args.length, result.args.bytes);
  }
  run_in(one, "releases", "{}", 2);
  run_in(one, "collect", "{}", 2);
  CHECK(jr_budget_used(budget) < 4 << 20, "%zu", jr_budget_used(budget));
  result = run_in(other, "garbage", "{}", 2);
  CHECK(result.outcome == JR_RUN_SUCCEEDED, "%.*s", (int)result.message.length, result.message.bytes);
  jr_close(one);
  jr_close(other);
  CHECK(jr_budget_used(budget) == 0, "%zu", jr_budget_used(budget));

  // What somebody else takes of it counts as well.
  CHECK(jr_budget_take(budget, 15 << 20) && !jr_budget_take(budget, 2 << 20), "%zu", jr_budget_used(budget));
  other = open_within(budget, NULL, jobs);
  result = run_in(other, "one_string", "{}", 2);
  CHECK(result.outcome == JR_RUN_FAILED && is(result.message, shared_limit), "%d", result.outcome);
  jr_close(other);
  jr_budget_give(budget, 15 << 20);
  CHECK(jr_budget_used(budget) == 0, "%zu", jr_budget_used(budget));
  jr_budget_free(budget);
}

/// Runs that are suspended count with the args that their host keeps.
static void check_suspended(void) {
  enum { SIZE = 1 << 20, MOST = 64 };
  jr_budget *budget = jr_budget_make(16 << 20);
  uint64_t last = 0, tokens[MOST];
  jr_state *state = open_within(
      budget, &last, "job('pauses', {max_attempt = 1}, function(args) args.a = nil collectgarbage() pause() end)");
  char *args = malloc(SIZE);
  memset(args, 'x', SIZE);
  memcpy(args, "{\"a\":\"", 6);
  memcpy(args + SIZE - 2, "\"}", 2);
  int suspended = 0;
  jr_result result = {0};
  for (; suspended < MOST; suspended++) {
    result = run_in(state, "pauses", args, SIZE);
    if (result.outcome != JR_RUN_SUSPENDED) break;
    tokens[suspended] = last;
  }
  CHECK(suspended > 4 && suspended < 16, "%d are suspended", suspended);
  CHECK(result.outcome == JR_RUN_FAILED && is(result.message, shared_limit), "%d %.*s", result.outcome,
        (int)result.message.length, result.message.bytes);
  for (int i = 0; i < suspended; i++) {
    jr_answer answer = {NULL, 0, {NULL, 0}};
    CHECK(jr_resume(state, tokens[i], &answer, &result) && result.outcome == JR_RUN_SUCCEEDED, "%d", result.outcome);
  }
  result = run_in(state, "pauses", args, SIZE);
  CHECK(result.outcome == JR_RUN_SUSPENDED, "%d", result.outcome);
  free(args);
  jr_close(state);
  CHECK(jr_budget_used(budget) == 0, "%zu", jr_budget_used(budget));
  jr_budget_free(budget);
}

/// What a run sets of the collector ends with it; what a script sets while it is loaded stays, but for a stop.
static void check_collector(void) {
  static const char modes[] =
      "job('stops', function() collectgarbage('stop') end)\n"
      "job('stops_and_fails', function() collectgarbage('stop') error('x') end)\n"
      "job('generations', function() collectgarbage('generational') collectgarbage('generational', 50, 500) end)\n"
      "job('lazy', function() collectgarbage('incremental', 1000, 400, 20) collectgarbage('setpause', 900) end)\n"
      "job('asks', function(args)\n"
      "  args.running = collectgarbage('isrunning')\n"
      "  args.pause, args.step = collectgarbage('setpause', 200), collectgarbage('setstepmul', 100)\n"
      "  args.mode = collectgarbage('incremental')\n"
      "end)\n";
  static const char *const names[] = {"stops", "stops_and_fails", "generations", "lazy", "asks"};
  static fixture f;
  fixture_start(&f, modes);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    fixture_run(&f, names[i], "{}");
    const outcome *out = fixture_run(&f, "asks", "{}");
    CHECK(same_members(out->args, "{\"running\":true,\"pause\":200,\"step\":100,\"mode\":\"incremental\"}"),
          "after %s: %s %s", names[i], out->args, out->message);
  }
  fixture_close(&f);

  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  CHECK(fixture_load(&f, "a.lua", "collectgarbage('generational') collectgarbage('stop')") == NULL, "the script");
  CHECK(fixture_load(&f, "b.lua", modes) == NULL && fixture_join(&f), "the jobs");
  for (int i = 0; i < 3; i++) {
    const outcome *out = fixture_run(&f, "asks", "{}");
    CHECK(contains(out->args, "\"mode\":\"generational\"") && contains(out->args, "\"running\":true"), "%s", out->args);
  }
  fixture_close(&f);
}

void test_memory(void) {
  check_budget();
  check_suspended();
  check_collector();
  check_level();
  check_limit();
  check_large_stored_args();
}
