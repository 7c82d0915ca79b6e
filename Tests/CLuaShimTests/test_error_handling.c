// What scripts can have called while an error is handled: metamethods of it, of what is closed, of what is collected.
// None of it ends the process or hangs, and what comes next runs as if nothing had been.
#include "check.h"

static const char jobs[] =
    "local function hang() while true do end end\n"
    "local function object(metatable) return setmetatable({f = print}, metatable) end\n"
    "local function raises(name, body)\n"
    "  job('raises_' .. name, body)\n"
    "  job('errback_' .. name, function() error('first', 0) end)\n"
    "  job_errback('errback_' .. name, body)\n"
    "  job('backoff_' .. name, {backoff = body}, function() error('first', 0) end)\n"
    "  job('task_' .. name, function() wait(spawn(body)) end)\n"
    "  job('wrap_' .. name, function() coroutine.wrap(body)() end)\n"
    "end\n"
    "raises('tostring', function() error(object{__tostring = hang}) end)\n"
    "raises('tostring_pcall', function() "
    "error(object{__tostring = function() while true do pcall(hang) end end}) end)\n"
    "raises('tostring_wrap', function() error(object{__tostring = coroutine.wrap(hang)}) end)\n"
    "raises('tostring_error', function() "
    "error(object{__tostring = function() error(object{__tostring = hang}) end}) end)\n"
    "raises('tostring_itself', function()\n"
    "  local e = object{} getmetatable(e).__tostring = function() error(e) end error(e)\n"
    "end)\n"
    "raises('tostring_deep', function() error(object{__tostring = function(e) return tostring(e) end}) end)\n"
    "raises('tostring_number', function() error(object{__tostring = function() return 1 end}) end)\n"
    "raises('tostring_cancel', function() error(object{__tostring = cancel_job}) end)\n"
    "raises('tostring_exit', function() error(object{__tostring = function() os.exit(1) end}) end)\n"
    "raises('tostring_yield', function() error(object{__tostring = coroutine.yield}) end)\n"
    "raises('tostring_collects', function()\n"
    "  error(object{__tostring = function() setmetatable({}, {__gc = hang}) collectgarbage() return 'text' end})\n"
    "end)\n"
    "raises('others', function() "
    "error(object{__index = hang, __len = hang, __pairs = hang, __name = {}, __eq = hang}) end)\n"
    "raises('plain_others', function() "
    "error(setmetatable({code = 1}, {__index = hang, __len = hang, __pairs = hang})) end)\n"
    "raises('close', function() local x <close> = object{__close = hang} error('x') end)\n"
    "raises('closes', function()\n"
    "  local a <close> = object{__close = function() error(object{__tostring = hang}) end}\n"
    "  local b <close> = object{__close = function() hang() end}\n"
    "  local c <close> = object{__close = function() error('c') end}\n"
    "  error(object{__tostring = hang})\n"
    "end)\n"
    "raises('close_collects', function()\n"
    "  local x <close> = object{__close = function() setmetatable({}, {__gc = hang}) collectgarbage() end}\n"
    "  error('x')\n"
    "end)\n"
    "raises('finalizer', function()\n"
    "  setmetatable({}, {__gc = function() error(object{__tostring = hang}) end}) collectgarbage() error('x')\n"
    "end)\n"
    "raises('finalizer_close', function()\n"
    "  setmetatable({}, {__gc = function() local x <close> = object{__close = hang} error('x') end})\n"
    "  collectgarbage() error('x')\n"
    "end)\n"
    "raises('handler', function() xpcall(error, function(e) error(e) end, object{__tostring = hang}) error('x') end)\n"
    "raises('overflow', function()\n"
    "  local function f() local x <close> = object{__close = function() error('again') end} return f() + 1 end f()\n"
    "end)\n"
    "raises('memory', function()\n"
    "  local x <close> = object{__close = function() setmetatable({}, {__gc = hang}) collectgarbage() end}\n"
    "  error(('x'):rep(1 << 40))\n"
    "end)\n"
    "job('next', function(args) args.n = 0 for i = 1, 1000 do args.n = args.n + i end end)\n";

typedef struct {
  char names[256][64];
  int count;
} names;

static void collect(void *context, const jr_job_definition *job) {
  names *all = context;
  if (strcmp(job->name, "next") != 0) snprintf(all->names[all->count++], 64, "%s", job->name);
}

static uint64_t last_number;

static jr_run_outcome run(jr_state *state, const char *name, jr_result *result) {
  jr_request request = {.name = name,
                        .name_length = strlen(name),
                        .args = "{}",
                        .args_length = 2,
                        .number = ++last_number,
                        .attempt = 1,
                        .timeout = 0.02};
  jr_run(state, &request, result);
  return result->outcome;
}

void test_error_handling(void) {
  static fixture f;
  static names all;
  test_thread_time = true;
  fixture_start(&f, jobs);
  all.count = 0;
  jr_list_jobs(f.state, &all, collect);
  CHECK(all.count > 100, "%d", all.count);
  for (int i = 0; i < all.count; i++) {
    jr_result result;
    jr_run_outcome outcome = run(f.state, all.names[i], &result);
    bool cancels = contains(all.names[i], "cancel");
    CHECK(outcome == JR_RUN_FAILED || (cancels && outcome == JR_RUN_FAILED_CANCELLED), "%s: %d", all.names[i], outcome);
    CHECK(result.message.length > 0, "%s has no message", all.names[i]);
    if (strcmp(all.names[i], "raises_tostring") == 0 || strcmp(all.names[i], "task_tostring") == 0) {
      snprintf(f.said, sizeof f.said, "%.*s", (int)result.message.length, result.message.bytes);
      CHECK(contains(f.said, ":1: the job ran longer than its timeout of 0.02 s"), "%s: %s", all.names[i], f.said);
    }
    outcome = run(f.state, "next", &result);
    CHECK(outcome == JR_RUN_SUCCEEDED && result.args.length == 12, "after %s: %d", all.names[i], outcome);
  }
  f.said[0] = 0;
  fixture_close(&f);
  CHECK(!contains(f.said, "finalizer"), "%s", f.said);
  test_thread_time = false;
}
