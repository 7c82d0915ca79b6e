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
  static const char *const names[] = {"good",   "failing", "table",  "cancelled", "errback_cancelled",
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

void test_memory(void) {
  check_level();
  check_limit();
  check_large_stored_args();
}
