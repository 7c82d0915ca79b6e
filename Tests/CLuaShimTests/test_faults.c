// Every allocation fails once: alone, with the few after it, and with all that follow. And every memory limit from
// nothing to enough. Nothing may crash, leak, or say that it worked when it did not.
#include <limits.h>

#include "check.h"

static const char script[] =
    "local helper = {} for i = 1, 5 do helper['k' .. i] = ('long text '):rep(i) end\n"
    "job('good', {max_attempt = 2}, function(args) args.list = {1, {2.5}, 'x'} args.helper = "
    "helper.k5 print(args.n) end)\n"
    "job_callback 'good' (function(args) args.text = json.encode(args) .. table.concat({'a', 'b'}) end)\n"
    "job('failing', function(args) args.x = {} error('boom' .. args.n) end)\n"
    "job_errback('failing', 'label', function(args) args.seen = args.error .. '!' end)\n"
    "job_errback('failing', function(args) error{message = 'in the errback'} end)\n"
    "job('table', function(args) error{code = args.n, list = {1, 2}} end)\n"
    "job_errback('table', function(args) args.code = args.error.code args.error.more = 1 end)\n"
    "job('text', function(args) error(setmetatable({print}, {__tostring = function() return 'as text' end})) end)\n"
    "job('cancelled', function(args) args.x = {1} cancel_job() end)\n"
    "job('cancelled_bad', function(args) args.x = print error(CancelJob) end)\n"
    "job('errback_cancelled', function(args) args.x = 1 error('x' .. args.n) end)\n"
    "job_errback('errback_cancelled', function(args) args.y = 1 cancel_job() end)\n"
    "job('yields', function(args) local x <close> = setmetatable({}, {__close = function() end}) "
    "coroutine.yield() end)\n"
    "job('bad_args', function(args) args.list = {1, {callback = print}} end)\n"
    "job_errback('bad_args', function(args) args.f = io.stdout end)\n"
    "job('inner', function(args) local c = coroutine.wrap(function() pcall(coroutine.yield, {1}) end) c() c() end)\n";

static const char other_script[] =
    "job('good', function(args) args.replaced = tostring(args) end)\n"
    "job_callback('goof', print)\n"
    "job_callback('far_from_all', print)\n";

static const char args[] = "{\"n\":1,\"escaped\":\"\\u00e9\\n\",\"deep\":[[{\"a\":[1.5,1e300,null]}]],\"e\":{}}";

static bool is_stored(jr_bytes bytes) {
  return bytes.length == sizeof args - 1 && memcmp(bytes.bytes, args, sizeof args - 1) == 0;
}

static jr_run_outcome run(fixture *f, const char *name, jr_result *result) {
  jr_request request = {
      .name = name,
      .name_length = strlen(name),
      .args = args,
      .args_length = sizeof args - 1,
      .job_itself = "{\"id\":\"x\"}",
      .job_itself_length = 10,
  };
  jr_run(f->state, &request, result);
  return result->outcome;
}

/// Whether a JSON text is whole, found out by a state that lacks nothing.
static bool is_json(jr_bytes bytes) {
  static fixture judge;
  if (judge.state == NULL) fixture_open(&judge, 0, NULL);
  jr_bytes out;
  bool good = jr_json_round_trip(judge.state, bytes.bytes, bytes.length, &out);
  fixture_close(&judge);
  return good;
}

typedef struct {
  const char *name;
  jr_run_outcome normal;
} faulty_run;

static const faulty_run runs[] = {
    {"good", JR_RUN_SUCCEEDED},
    {"failing", JR_RUN_FAILED},
    {"table", JR_RUN_FAILED},
    {"text", JR_RUN_FAILED},
    {"cancelled", JR_RUN_CANCELLED},
    {"cancelled_bad", JR_RUN_CANCELLED},
    {"errback_cancelled", JR_RUN_FAILED_CANCELLED},
    {"yields", JR_RUN_FAILED},
    {"bad_args", JR_RUN_FAILED},
    {"inner", JR_RUN_SUCCEEDED},
    {"undefined", JR_RUN_UNDEFINED},
};
enum { RUNS = sizeof runs / sizeof runs[0] };

static void check_result(const faulty_run *expected, const jr_result *result, const char *how, long n) {
  bool known = result->outcome == expected->normal || result->outcome == JR_RUN_FAILED ||
               (expected->normal == JR_RUN_FAILED_CANCELLED && result->outcome == JR_RUN_FAILED_CANCELLED);
  CHECK(known, "%s, %s %ld: outcome %d", expected->name, how, n, result->outcome);
  if (result->outcome == JR_RUN_UNDEFINED) return;
  CHECK(result->args.length > 0, "%s, %s %ld: no args", expected->name, how, n);
  bool failed = result->outcome == JR_RUN_FAILED || result->outcome == JR_RUN_FAILED_CANCELLED;
  if (!failed) return;
  CHECK(result->error.length > 0 && result->message.length > 0, "%s, %s %ld: no error", expected->name, how, n);
}

static void check_json_of(const faulty_run *expected, const jr_result *result, const char *how, long n) {
  if (result->outcome == JR_RUN_UNDEFINED) return;
  CHECK(is_stored(result->args) || is_json(result->args), "%s, %s %ld: args %.*s", expected->name, how, n,
        (int)result->args.length, result->args.bytes);
  if (result->error.length > 0) {
    CHECK(is_json(result->error), "%s, %s %ld: error %.*s", expected->name, how, n, (int)result->error.length,
          result->error.bytes);
  }
  if (result->errback_error.length > 0) {
    CHECK(is_json(result->errback_error) && result->errback_error.bytes[0] == '"', "%s, %s %ld: errback_error %.*s",
          expected->name, how, n, (int)result->errback_error.length, result->errback_error.bytes);
  }
}

static bool prepare(fixture *f) {
  return fixture_open(f, 0, "modules") && fixture_load(f, "jobs/a.lua", script) == NULL && fixture_join(f);
}

/// Lengths of a series of failing allocations: one, which Lua gets over by collecting; a few, which it does not; all.
static const long series[] = {1, 2, 5, LONG_MAX};
enum { SERIES = sizeof series / sizeof series[0] };

static void fail_from(long n, long length) { test_fail_allocations(n, length == LONG_MAX ? LONG_MAX : n + length - 1); }

static void fail_none(void) { test_fail_allocations(LONG_MAX, 0); }

static void check_opening(void) {
  static fixture f;
  for (int s = 0; s < SERIES; s++) {
    for (long n = 1;; n++) {
      fail_from(n, series[s]);
      bool opened = fixture_open(&f, 0, "modules");
      long failures = test_failed_allocations();
      fail_none();
      CHECK(opened || failures > 0, "opening failed for no reason");
      if (opened) {
        CHECK(fixture_load(&f, "jobs/a.lua", script) == NULL && fixture_join(&f), "the state is damaged: %ld", n);
        fixture_close(&f);
      }
      if (failures == 0) break;
      if (series[s] == LONG_MAX) CHECK(!opened, "opened without memory: allocation %ld", n);
    }
  }
}

static void check_loading(void) {
  static fixture f;
  for (int s = 0; s < SERIES; s++) {
    for (long n = 1;; n++) {
      CHECK(fixture_open(&f, 0, NULL), "the state did not open");
      jr_bytes error;
      fail_from(n, series[s]);
      bool loaded = jr_load_script(f.state, "jobs/a.lua", script, sizeof script - 1, &error);
      long failures = test_failed_allocations();
      fail_none();
      if (!loaded) {
        CHECK(failures > 0 && error.length > 0, "loading failed with %ld failures: %.*s", failures, (int)error.length,
              error.bytes);
        CHECK(fixture_join(&f) && f.jobs[0] == 0, "half a script was kept: %s", f.jobs);
        CHECK(fixture_load(&f, "jobs/a.lua", script) == NULL, "the state is damaged: %ld", n);
      }
      CHECK(fixture_join(&f) && contains(f.jobs, "yields jobs/a.lua:14 0 0"), "%s", f.jobs);
      fixture_close(&f);
      if (failures == 0) break;
    }
  }
}

static void check_joining(void) {
  static fixture f;
  for (int s = 0; s < SERIES; s++) {
    for (long n = 1;; n++) {
      CHECK(fixture_open(&f, 0, NULL), "the state did not open");
      CHECK(fixture_load(&f, "jobs/a.lua", script) == NULL, "the script did not load");
      CHECK(fixture_load(&f, "jobs/b.lua", other_script) == NULL, "the script did not load");
      fail_from(n, series[s]);
      bool joined = fixture_join(&f);
      long failures = test_failed_allocations();
      fail_none();
      CHECK(joined || failures > 0, "joining failed for no reason");
      CHECK(fixture_join(&f), "joining failed");
      CHECK(contains(f.problems, "jobs/b.lua:1: job 'good' replaces the one defined at jobs/a.lua:2") &&
                contains(f.problems, "(did you mean 'good'?)"),
            "%s", f.problems);
      fixture_close(&f);
      if (failures == 0) break;
    }
  }
}

static void check_running(void) {
  static fixture f;
  for (int r = 0; r < RUNS; r++) {
    for (int s = 0; s < SERIES; s++) {
      for (long n = 1;; n++) {
        CHECK(prepare(&f), "the state did not open");
        jr_result result;
        fail_from(n, series[s]);
        run(&f, runs[r].name, &result);
        long failures = test_failed_allocations();
        fail_none();
        check_result(&runs[r], &result, "allocation", n);
        check_json_of(&runs[r], &result, "allocation", n);
        if (failures == 0) CHECK(result.outcome == runs[r].normal, "%s: outcome %d", runs[r].name, result.outcome);
        // The state goes on as if nothing had been.
        jr_run_outcome again = run(&f, runs[r].name, &result);
        CHECK(again == runs[r].normal, "%s again after %ld: outcome %d, %.*s", runs[r].name, n, again,
              (int)result.message.length, result.message.bytes);
        fixture_close(&f);
        if (failures == 0) break;
      }
    }
  }
}

static void check_round_trip(void) {
  static fixture f;
  for (int s = 0; s < SERIES; s++) {
    for (long n = 1;; n++) {
      CHECK(fixture_open(&f, 0, NULL), "the state did not open");
      jr_bytes out;
      fail_from(n, series[s]);
      bool good = jr_json_round_trip(f.state, args, sizeof args - 1, &out);
      long failures = test_failed_allocations();
      fail_none();
      CHECK(good || (failures > 0 && out.length > 0), "a round trip failed for no reason");
      if (!good) {
        CHECK(out.length == 17 && memcmp(out.bytes, "not enough memory", 17) == 0, "%.*s", (int)out.length, out.bytes);
      }
      fixture_close(&f);
      if (failures == 0) break;
    }
  }
}

static void check_limits(void) {
  static fixture f;
  bool enough = false;
  for (size_t limit = 1; !enough; limit += limit < 20000 ? 97 : 499) {
    if (!fixture_open(&f, limit, "modules")) continue;
    enough = fixture_load(&f, "jobs/a.lua", script) == NULL;
    bool joined = fixture_join(&f);
    for (int r = 0; r < RUNS; r++) {
      jr_result result;
      run(&f, runs[r].name, &result);
      if (enough && joined) check_result(&runs[r], &result, "limit", (long)limit);
      enough = enough && joined && result.outcome == runs[r].normal;
    }
    jr_bytes out;
    jr_json_round_trip(f.state, args, sizeof args - 1, &out);
    CHECK(jr_memory_used(f.state) <= limit + 1024, "%zu bytes of %zu", jr_memory_used(f.state), limit);
    fixture_close(&f);
  }
}

void test_faults(void) {
  check_opening();
  check_loading();
  check_joining();
  check_running();
  check_round_trip();
  check_limits();
}
