#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"

// Each of these hangs unless it is interrupted. None may get to `lost`.
static const char hanging[] =
    "local function hang() while true do end end\n"
    "local function hangs(name, body)\n"
    "  job('hangs_' .. name, function(args) args.stands = 1 begun() body() args.lost = 1 end)\n"
    "  job_callback('hangs_' .. name, function(args) args.lost = 1 end)\n"
    "  job_errback('hangs_' .. name, function(args) args.seen = args.error end)\n"
    "end\n"
    "hangs('loop', hang)\n"
    "hangs('pcall', function() pcall(hang) end)\n"
    "hangs('pcall_loop', function() while true do pcall(hang) end end)\n"
    "hangs('pcall_of_c', function() while true do pcall(string.rep, 'x', 10) end end)\n"
    "hangs('xpcall', function() while true do xpcall(hang, hang) end end)\n"
    "hangs('handler', function() xpcall(error, hang, 'x') end)\n"
    "hangs('resume', function() coroutine.resume(coroutine.create(hang)) end)\n"
    "hangs('resume_loop', function() while true do coroutine.resume(coroutine.create(hang)) end end)\n"
    "hangs('wrap', function() coroutine.wrap(hang)() end)\n"
    "hangs('pcall_wrap', function() while true do pcall(coroutine.wrap(hang)) end end)\n"
    "hangs('yields', function()\n"
    "  local c = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
    "  while true do c() end\n"
    "end)\n"
    "hangs('nested', function() "
    "coroutine.wrap(function() coroutine.wrap(function() pcall(hang) hang() end)() end)() end)\n"
    "hangs('sort', function() table.sort({3, 2, 1}, hang) end)\n"
    "hangs('gsub', function() pcall(string.gsub, 'abc', '.', hang) hang() end)\n"
    "hangs('index', function() return setmetatable({}, {__index = hang}).x end)\n"
    "hangs('iterator', function() for _ in hang do end end)\n"
    "hangs('close', function() local x <close> = setmetatable({}, {__close = hang}) end)\n"
    "hangs('close_after', function() local x <close> = setmetatable({}, {__close = hang}) hang() end)\n"
    "hangs('coroutine_close', function()\n"
    "  local c = coroutine.create(function() "
    "local x <close> = setmetatable({}, {__close = hang}) coroutine.yield() end)\n"
    "  coroutine.resume(c)\n"
    "  coroutine.close(c)\n"
    "  hang()\n"
    "end)\n"
    "hangs('gc', function() setmetatable({}, {__gc = hang}) collectgarbage() end)\n"
    "hangs('gc_later', function()\n"
    "  local m = {__gc = true}\n"
    "  setmetatable({}, m)\n"
    "  m.__gc = hang\n"
    "  collectgarbage()\n"
    "end)\n"
    "hangs('gc_wrap', function() setmetatable({}, {__gc = coroutine.wrap(hang)}) collectgarbage() end)\n"
    "hangs('gc_pcall', function() setmetatable({}, {__gc = pcall, __call = hang}) collectgarbage() end)\n"
    "hangs('gc_call', function() setmetatable({}, {__gc = setmetatable({}, {__call = hang})}) collectgarbage() end)\n"
    "hangs('gc_many', function() for i = 1, 1000 do setmetatable({}, {__gc = hang}) end collectgarbage() end)\n"
    "hangs('gc_close', function()\n"
    "  setmetatable({}, {__gc = function() local x <close> = setmetatable({}, {__close = hang}) error('x') end})\n"
    "  collectgarbage()\n"
    "end)\n"
    "hangs('strings', function() local t = {} while true do t[#t % 100 + 1] = tostring({}) .. 'x' end end)\n"
    "job('next', function(args) args.n = 0 for i = 1, 1000 do args.n = args.n + i end end)\n"
    "kept = nil\n"
    "job('keeps', function(args)\n"
    "  kept = coroutine.wrap(function() begun() while true do pcall(coroutine.yield) end end)\n"
    "  while true do kept() end\n"
    "end)\n"
    "job('goes_on', function(args) for i = 1, 100 do local n = i end args.good = true end)\n"
    "job('errback_hangs', function(args) error('first', 0) end)\n"
    "job_errback('errback_hangs', function(args) args.kept = 1 begun() while true do pcall(hang) end end)\n"
    "job('callback_hangs', function(args) args.body = 1 end)\n"
    "job_callback('callback_hangs', function(args) begun() hang() end)\n"
    "job('backoff_hangs', {backoff = function() begun() hang() end}, function(args) error('x', 0) end)\n"
    "job('short', function(args) local n = 0 for i = 1, 2000 do n = n + i end args.n = n end)\n";

static atomic_bool has_begun;

static void note_begun(void *context, void *run, double fraction, const char *text, size_t length) {
  (void)context, (void)run, (void)fraction, (void)text, (void)length;
  atomic_store(&has_begun, true);
}

static void ignore(void *context, void *run, jr_log_level level, const char *text, size_t length) {
  (void)context, (void)run, (void)level, (void)text, (void)length;
}

static void ignore_problem(void *context, jr_problem_severity severity, const char *text, size_t length) {
  (void)context, (void)severity, (void)length;
  CHECK(false, "%s", text);
}

static jr_state *start(void) {
  jr_host host = {.log = ignore, .progress = note_begun};
  jr_options options = {0};
  jr_state *state = jr_open(&host, &options);
  jr_bytes error = {0};
  CHECK(state != NULL, "no state");
  const char *prelude = "function begun() progress(0) end";
  CHECK(jr_load_script(state, "prelude.lua", prelude, strlen(prelude), &error), "%s", error.bytes);
  CHECK(jr_load_script(state, "hanging.lua", hanging, sizeof hanging - 1, &error), "%s", error.bytes);
  CHECK(jr_join_definitions(state, NULL, ignore_problem), "joining");
  return state;
}

static uint64_t last_number;

static jr_result run(jr_state *state, const char *name, uint64_t number, double timeout) {
  jr_request request = {.name = name, .name_length = strlen(name), .args = "{}", .args_length = 2, .attempt = 3};
  request.number = number;
  request.timeout = timeout;
  jr_result result;
  atomic_store(&has_begun, false);
  jr_run(state, &request, &result);
  return result;
}

static bool is(jr_bytes bytes, const char *text) {
  return bytes.length == strlen(text) && (bytes.length == 0 || memcmp(bytes.bytes, text, bytes.length) == 0);
}

static bool has(jr_bytes bytes, const char *part) {
  static char text[TEXT_CAPACITY];
  size_t length = bytes.length < sizeof text - 1 ? bytes.length : sizeof text - 1;
  if (length > 0) memcpy(text, bytes.bytes, length);
  text[length] = 0;
  return contains(text, part);
}

typedef struct {
  jr_state *state;
  uint64_t number;
} cancellation;

static void *cancel_when_begun(void *context) {
  cancellation *c = context;
  while (!atomic_load(&has_begun)) {
    struct timespec pause = {.tv_nsec = 100000};
    nanosleep(&pause, NULL);
  }
  struct timespec pause = {.tv_nsec = 2000000};
  nanosleep(&pause, NULL);
  jr_cancel_run(c->state, c->number);
  return NULL;
}

static jr_result run_cancelled(jr_state *state, const char *name) {
  cancellation c = {state, ++last_number};
  pthread_t thread;
  atomic_store(&has_begun, false);
  pthread_create(&thread, NULL, cancel_when_begun, &c);
  jr_result result = run(state, name, c.number, 0);
  pthread_join(thread, NULL);
  return result;
}

/// What follows an interrupted run runs as if nothing had been.
static void check_next(jr_state *state, const char *after) {
  for (int i = 0; i < 3; i++) {
    jr_result result = run(state, "next", ++last_number, 0);
    CHECK(result.outcome == JR_RUN_SUCCEEDED && is(result.args, "{\"n\":500500}"), "after %s: %d", after,
          result.outcome);
  }
}

typedef struct {
  char names[64][64];
  int count;
} names;

static void collect(void *context, const jr_job_definition *job) {
  names *all = context;
  if (strncmp(job->name, "hangs_", 6) == 0) snprintf(all->names[all->count++], 64, "%s", job->name);
}

static void check_hanging(jr_state *state) {
  static names all;
  all.count = 0;
  jr_list_jobs(state, &all, collect);
  CHECK(all.count >= 20, "%d", all.count);
  for (int i = 0; i < all.count; i++) {
    const char *name = all.names[i];
    jr_result result = run_cancelled(state, name);
    CHECK(result.outcome == JR_RUN_CANCELLED, "%s: %d", name, result.outcome);
    CHECK(is(result.args, "{\"stands\":1}"), "%s: %.*s", name, (int)result.args.length, result.args.bytes);
    check_next(state, name);

    result = run(state, name, ++last_number, 0.02);
    CHECK(result.outcome == JR_RUN_FAILED, "%s: %d", name, result.outcome);
    CHECK(has(result.message, "the job ran longer than its timeout of 0.02 s"), "%s: %.*s", name,
          (int)result.message.length, result.message.bytes);
    CHECK(has(result.args, "\"seen\":") && !has(result.args, "lost"), "%s: %.*s", name, (int)result.args.length,
          result.args.bytes);
    CHECK(has(result.traceback, "hanging.lua:"), "%s: %.*s", name, (int)result.traceback.length,
          result.traceback.bytes);
    check_next(state, name);
  }
}

static void check_parts(jr_state *state) {
  jr_result result = run_cancelled(state, "errback_hangs");
  CHECK(result.outcome == JR_RUN_FAILED_CANCELLED && is(result.args, "{\"kept\":1}"), "%d", result.outcome);
  result = run(state, "errback_hangs", ++last_number, 0.02);
  CHECK(result.outcome == JR_RUN_FAILED && is(result.args, "{\"kept\":1}"), "%d", result.outcome);
  CHECK(is(result.message, "first") && has(result.errback_error, "longer than its timeout"), "%.*s",
        (int)result.errback_error.length, result.errback_error.bytes);

  result = run_cancelled(state, "callback_hangs");
  CHECK(result.outcome == JR_RUN_CANCELLED && is(result.args, "{\"body\":1}"), "%d", result.outcome);
  result = run(state, "callback_hangs", ++last_number, 0.02);
  CHECK(result.outcome == JR_RUN_FAILED && is(result.args, "{}"), "%d", result.outcome);

  result = run_cancelled(state, "backoff_hangs");
  CHECK(result.outcome == JR_RUN_FAILED_CANCELLED, "%d", result.outcome);
  result = run(state, "backoff_hangs", ++last_number, 0.02);
  CHECK(result.outcome == JR_RUN_FAILED && result.retry_in != result.retry_in, "%d %f", result.outcome,
        result.retry_in);
  check_next(state, "the parts");

  // A coroutine of the script's own that was interrupted, and is dead, leaves nothing in later runs.
  result = run_cancelled(state, "keeps");
  CHECK(result.outcome == JR_RUN_CANCELLED, "%d", result.outcome);
  result = run(state, "goes_on", ++last_number, 0);
  CHECK(result.outcome == JR_RUN_SUCCEEDED && is(result.args, "{\"good\":true}"), "%d", result.outcome);

  // Enough time is enough.
  result = run(state, "next", ++last_number, 3600);
  CHECK(result.outcome == JR_RUN_SUCCEEDED, "%d", result.outcome);
}

/// A cancellation that comes before its run has begun, and one for a run that is over.
static void check_order(jr_state *state) {
  jr_cancel_run(state, last_number + 1);
  jr_result result = run(state, "hangs_loop", ++last_number, 0);
  CHECK(result.outcome == JR_RUN_CANCELLED && is(result.args, "{}"), "%d", result.outcome);
  jr_cancel_run(state, last_number);
  check_next(state, "a late cancellation");
  // It waits for its run, which is made here: no other test may get that number.
  const uint64_t early = last_number + 4;
  jr_cancel_run(state, early);
  check_next(state, "an early cancellation");
  result = run(state, "hangs_loop", ++last_number, 0);
  CHECK(last_number == early && result.outcome == JR_RUN_CANCELLED && is(result.args, "{}"), "%d", result.outcome);
}

/// By the monotonic clock, as everywhere but in tests. Of phases that may not reach their timeout nothing is expected.
static void check_clock(jr_state *state) {
  jr_result result = run(state, "hangs_loop", ++last_number, 0.02);
  CHECK(result.outcome == JR_RUN_FAILED, "%d", result.outcome);
  CHECK(has(result.message, "the job ran longer than its timeout of 0.02 s"), "%.*s", (int)result.message.length,
        result.message.bytes);
  check_next(state, "a timeout by the clock");
}

typedef struct {
  jr_state *state;
  _Atomic uint64_t current;
  atomic_bool begun;
  atomic_bool over;
} storm;

static void *cancel_at_random(void *context) {
  storm *s = context;
  unsigned seed = 7;
  atomic_store(&s->begun, true);
  while (!atomic_load(&s->over)) {
    uint64_t number = atomic_load(&s->current);
    seed = seed * 1103515245 + 12345;
    // Odd numbers are never cancelled, and must not be.
    number -= number % 2;
    if (seed % 3 == 0 && number >= 2) number -= 2;
    jr_cancel_run(s->state, number);
  }
  return NULL;
}

static void check_storm(jr_state *state) {
  storm s = {.state = state};
  last_number += last_number % 2;
  atomic_store(&s.current, last_number);
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_at_random, &s);
  while (!atomic_load(&s.begun)) sched_yield();
  int cancelled = 0;
  for (int i = 0; i < 10000; i++) {
    uint64_t number = ++last_number;
    atomic_store(&s.current, number);
    jr_result result = run(state, "short", number, i % 5 == 0 ? 3600 : 0);
    if (result.outcome == JR_RUN_CANCELLED) cancelled++;
    bool good = result.outcome == JR_RUN_SUCCEEDED ? is(result.args, "{\"n\":2001000}")
                                                   : result.outcome == JR_RUN_CANCELLED && number % 2 == 0;
    if (!good) CHECK(false, "run %d: %d", i, result.outcome);
  }
  atomic_store(&s.over, true);
  pthread_join(thread, NULL);
  CHECK(cancelled > 0, "none of 10000 was cancelled");
}

static jr_state *asking;
static char closed[64], site[JR_SITE_SIZE];

/// The run is asked where it is while it is in C, and raises without another Lua instruction.
static bool refuse(void *context, void *run_, const char *json, size_t length, jr_bytes *reply) {
  (void)context, (void)run_, (void)json, (void)length;
  jr_activity activity;
  jr_warn_run(asking, last_number);
  jr_look(asking, &activity);
  snprintf(site, sizeof site, "%s", activity.site);
  *reply = (jr_bytes){.bytes = "refused", .length = strlen("refused")};
  return false;
}

static void note_closed(void *context, void *run_, jr_log_level level, const char *text, size_t length) {
  (void)context, (void)run_, (void)level;
  if (length < sizeof closed) snprintf(closed, sizeof closed, "%.*s", (int)length, text);
}

/// Where the run was when it was asked is known, and forgotten when that has returned.
static void check_site(jr_state *state) {
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
  CHECK(contains(site, "asked.lua:2 in enqueue"), "'%s'", site);
#endif
  jr_activity activity;
  site[0] = 0;
  CHECK(run(state, "later", ++last_number, 0).outcome == JR_RUN_SUCCEEDED, "later");
  jr_look(state, &activity);
  CHECK(activity.site[0] == 0, "'%s'", activity.site);
}

/// A run that is asked where it is has the error that it raises then, and closes what it has open.
static void check_asked(void) {
  static const char source[] =
      "local function open() return setmetatable({}, {__close = function(_, e) print('closed: ' .. e) end}) end\n"
      "local function ask(args) local x <close> = open() enqueue('next') end\n"
      "job('asked', ask)\n"
      "job('asked_task', function(args) wait(spawn(ask, args)) end)\n"
      "job('asked_wrap', function(args) coroutine.wrap(ask)(args) end)\n"
      "job('asked_resume', function(args)\n"
      "  local c = coroutine.create(ask)\n"
      "  local good, e = coroutine.resume(c, args)\n"
      "  local closed, again = coroutine.close(c)\n"
      "  error(closed and 'not closed' or again, 0)\n"
      "end)\n"
      "job('later', function() end)\n"
      "job('asked_errback', function(args) error('first', 0) end)\n"
      "job_errback('asked_errback', ask)\n"
      "for _, name in ipairs({'asked', 'asked_task', 'asked_wrap', 'asked_resume'}) do\n"
      "  job_errback(name, function(args) args.seen = args.error end)\n"
      "end\n";
  jr_host host = {.log = note_closed, .enqueue = refuse};
  jr_options options = {0};
  jr_state *state = jr_open(&host, &options);
  jr_bytes error = {0};
  bool loaded = jr_load_script(state, "asked.lua", source, sizeof source - 1, &error);
  CHECK(loaded, "%.*s", (int)error.length, error.bytes);
  CHECK(jr_join_definitions(state, NULL, ignore_problem), "joining");
  asking = state;
  static const char *const names[] = {"asked", "asked_task", "asked_wrap", "asked_resume"};
  for (int i = 0; i < 4; i++) {
    closed[0] = 0;
    jr_result result = run(state, names[i], ++last_number, 0);
    CHECK(result.outcome == JR_RUN_FAILED, "%s: %d", names[i], result.outcome);
    CHECK(has(result.message, "refused"), "%s: %.*s", names[i], (int)result.message.length, result.message.bytes);
    CHECK(has(result.error, "refused") && result.error.bytes[0] == '"', "%s: %.*s", names[i], (int)result.error.length,
          result.error.bytes);
    CHECK(has(result.args, "\"seen\":\"") && has(result.args, "refused"), "%s: %.*s", names[i], (int)result.args.length,
          result.args.bytes);
    CHECK(contains(closed, "closed: ") && contains(closed, "refused"), "%s: '%s'", names[i], closed);
    check_site(state);
  }
  closed[0] = 0;
  jr_result result = run(state, "asked_errback", ++last_number, 0);
  CHECK(result.outcome == JR_RUN_FAILED && is(result.message, "first"), "%d", result.outcome);
  CHECK(has(result.errback_error, "refused"), "%.*s", (int)result.errback_error.length, result.errback_error.bytes);
  CHECK(contains(closed, "refused"), "'%s'", closed);
  jr_close(state);
}

void test_interrupting(void) {
  check_asked();
  jr_state *state = start();
  check_clock(state);
  check_order(state);
  check_storm(state);
  jr_close(state);

  // What does not hang must not reach its timeout, and would beside a load that keeps it from the core for that long.
  test_thread_time = true;
  state = start();
  check_hanging(state);
  check_parts(state);
  jr_close(state);

  // Where the system has no timer left a hook looks at the clock instead.
  test_no_timers = true;
  state = start();
  check_hanging(state);
  check_parts(state);
  jr_close(state);
  test_no_timers = false;
  test_thread_time = false;
}
