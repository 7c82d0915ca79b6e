#include "check.h"

// Every job but `tostring` and the like is one line, so that errors name it.
static const char jobs[] =
    "job('noop', function() end)\n"
    "job('add', function(args) args.x = (args.x or 0) + 1 return 'ignored', 5 end)\n"
    "job_callback('add', function(args) args.x = args.x + 10 end)\n"
    "job_errback('add', function(args) args.never = true end)\n"
    "job('fail', function(args) args.lost = true error('boom') end)\n"
    "job_callback('fail', function(args) print('not reached') end)\n"
    "job_errback('fail', function(args) args.kept = args.lost == nil args.seen = args.error end)\n"
    "job('callback_fails', function(args) args.lost = true end)\n"
    "job_callback('callback_fails', function(args) error('second', 0) end)\n"
    "job_callback('callback_fails', function(args) print('not reached') end)\n"
    "job('errback_fails', function() error('one') end)\n"
    "job_errback('errback_fails', function(args) args.added = 1 error('two') end)\n"
    "job_errback('errback_fails', function(args) print('not reached') end)\n"
    "job('table', function() error{message = 'said', code = 7} end)\n"
    "job_errback('table', function(args) args.code = args.error.code end)\n"
    "job('array', function() error{1, 2} end)\n"
    "job('unstorable', function() error({print}) end)\n"
    "job('tostring', function() error(setmetatable({print}, {__tostring = function() return 'as text' end})) end)\n"
    "job('tostring_fails', function() error(setmetatable({print}, {__tostring = error})) end)\n"
    "job('number', function() error(42) end)\n"
    "job('nil', function() error() end)\n"
    "job('boolean', function() error(false) end)\n"
    "job('not_utf8', function() error('a\\xffb', 0) end)\n"
    "job_errback('not_utf8', function(args) args.length = #args.error end)\n"
    "job('index', function(args) return args.missing.field end)\n"
    "job('bad_args', function(args) args.list = {1, {callback = print}} end)\n"
    "job_errback('bad_args', function(args) args.seen = args.error end)\n"
    "job('bad_errback_args', function() error('one', 0) end)\n"
    "job_errback('bad_errback_args', function(args) args.f = print end)\n"
    "job('both_bad', function() error('one', 0) end)\n"
    "job_errback('both_bad', function(args) args.f = print error('two', 0) end)\n"
    "job('yield', function() coroutine.yield(1, 2) end)\n"
    "job_errback('yield', function() coroutine.yield() end)\n"
    "job('inner', function(args) local c = coroutine.wrap(function() coroutine.yield(5) end) args.x = c() end)\n"
    "job('overflow', function() local function f() return 1 + f() end f() end)\n"
    "job('array_args', function(args) args[1] = 5 end)\n"
    "job('marked_args', function(args) json.array(args) end)\n"
    "job('replaced', function(args) args = {x = 1} end)\n"
    "job('itself', function(args) args.id = args.job_itself.id end)\n"
    "job('itself_fails', function(args) error('x', 0) end)\n"
    "job_errback('itself_fails', function(args) args.id = args.job_itself and args.job_itself.id end)\n"
    "job('better_error', function(args) error('x', 0) end)\n"
    "job_errback('better_error', function(args) args.error = {code = 1} args.errback_error = 'mine' end)\n"
    "job('removed_error', function(args) error('x', 0) end)\n"
    "job_errback('removed_error', function(args) args.error = nil end)\n"
    "job('worse_error', function(args) error{a = 1} end)\n"
    "job_errback('worse_error', function(args) args.error = print end)\n"
    "job('own_error', function(args) args.error = 'mine' end)\n"
    "job('close', function() local x <close> = setmetatable({}, {__close = function() "
    "error('closed', 0) end}) error('x') end)\n"
    "job('state', function(args) counter = (counter or 0) + 1 args.n = counter end)\n"
    "job('empties', function(args) args.a[1] = nil args.o.k = nil end)\n"
    "job('bytes', function() error({message = 'a\\xffb', ['k\\xff'] = 7}) end)\n"
    "job('words', function() error(setmetatable({}, {__tostring = function() return 'so said' end})) end)\n"
    "job('words_and_code', function() error(setmetatable({code = 7}, {__tostring = function(e) "
    "return 'code ' .. e.code end})) end)\n"
    "job('message_and_function', function() error({message = 'plain', handler = print}) end)\n"
    "job_errback('message_and_function', function(args) args.seen = args.error end)\n";

typedef struct {
  const char *job;
  const char *stored;
  jr_run_outcome outcome;
  const char *args;
  const char *error;          // JSON; "" for none
  const char *errback_error;  // JSON
  const char *message;        // NULL: `error` is a JSON string without escapes, and this its text
} run_case;

#define OK JR_RUN_SUCCEEDED
#define FAILED JR_RUN_FAILED
#define AT(line) "\"jobs/test.lua:" #line ": "

static const run_case cases[] = {
    {"noop", "{}", OK, "{}", "", "", ""},
    {"noop", "{\"arg1\":1,\"arg2\":\"hello\"}", OK, "{\"arg1\":1,\"arg2\":\"hello\"}", "", "", ""},
    {"noop", " { \"a\" : [ ] , \"b\" : { } } ", OK, "{\"a\":[],\"b\":{}}", "", "", ""},
    {"add", "{}", OK, "{\"x\":11}", "", "", ""},
    {"add", "{\"x\":1}", OK, "{\"x\":12}", "", "", ""},
    {"add", "{\"x\":1.5}", OK, "{\"x\":12.5}", "", "", ""},
    {"replaced", "{\"y\":1}", OK, "{\"y\":1}", "", "", ""},
    {"own_error", "{}", OK, "{\"error\":\"mine\"}", "", "", ""},
    {"empties", "{\"a\":[1],\"o\":{\"k\":1}}", OK, "{\"a\":[],\"o\":{}}", "", "", ""},
    {"inner", "{}", OK, "{\"x\":5}", "", "", ""},
    {"fail", "{\"k\":1}", FAILED, "{\"k\":1,\"kept\":true,\"seen\":" AT(5) "boom\"}", AT(5) "boom\"", "", NULL},
    {"callback_fails", "{\"k\":1}", FAILED, "{\"k\":1}", "\"second\"", "", NULL},
    {"errback_fails", "{}", FAILED, "{\"added\":1}", AT(11) "one\"", AT(12) "two\"", NULL},
    {"table", "{}", FAILED, "{\"code\":7}", "{\"message\":\"said\",\"code\":7}", "", "said"},
    {"array", "{}", FAILED, "{}", "[1,2]", "", "[1,2]"},
    {"tostring", "{}", FAILED, "{}", "\"as text\"", "", NULL},
    {"tostring_fails", "{}", FAILED, "{}", "\"(error object is a table value)\"", "", NULL},
    {"number", "{}", FAILED, "{}", "\"42\"", "", NULL},
    {"nil", "{}", FAILED, "{}", "\"nil\"", "", NULL},
    {"boolean", "{}", FAILED, "{}", "\"false\"", "", NULL},
    {"not_utf8", "{}", FAILED, "{\"length\":3}",
     "\"a\xEF\xBF\xBD"
     "b\"",
     "", NULL},
    {"index", "{}", FAILED, "{}", AT(25) "attempt to index a nil value (field 'missing')\"", "", NULL},
    {"bad_args", "{\"k\":1}", FAILED,
     "{\"k\":1,\"seen\":\"args.list[2].callback: a function cannot be stored as JSON\"}",
     "\"args.list[2].callback: a function cannot be stored as JSON\"", "", NULL},
    {"bad_errback_args", "{\"k\": 1}", FAILED, "{\"k\": 1}", "\"one\"",
     "\"args.f: a function cannot be stored as JSON\"", NULL},
    {"both_bad", "{\"k\": 1}", FAILED, "{\"k\": 1}", "\"one\"", "\"two\"", NULL},
    {"yield", "{}", FAILED, "{}", AT(32) "a job cannot yield: coroutine.yield outside a coroutine of your own\"",
     AT(33) "a job cannot yield: coroutine.yield outside a coroutine of your own\"", NULL},
    {"array_args", "{}", FAILED, "{}",
     "\"args: a table with number keys cannot be stored where a JSON object is needed\"", "", NULL},
    {"array_args", "{\"a\":1}", FAILED, "{\"a\":1}",
     "\"args: a table with number keys cannot be stored where a JSON object is needed\"", "", NULL},
    {"marked_args", "{}", FAILED, "{}", "\"args: an array cannot be stored where a JSON object is needed\"", "", NULL},
    {"better_error", "{}", FAILED, "{}", "{\"code\":1}", "", "x"},
    {"removed_error", "{}", FAILED, "{}", "\"x\"", "", NULL},
    {"worse_error", "{}", FAILED, "{}", "{\"a\":1}", "", "{\"a\":1}"},
    {"close", "{}", FAILED, "{}", "\"closed\"", "", NULL},
    // What a table says in words is kept, whatever else is in it.
    {"bytes", "{}", FAILED, "{}",
     "{\"message\":\"a\xEF\xBF\xBD"
     "b\",\"k\xEF\xBF\xBD\":7}",
     "",
     "a\xEF\xBF\xBD"
     "b"},
    {"words", "{}", FAILED, "{}", "\"so said\"", "", NULL},
    {"words_and_code", "{}", FAILED, "{}", "{\"code\":7}", "", "code 7"},
    {"message_and_function", "{}", FAILED, "{\"seen\":\"plain\"}", "\"plain\"", "", NULL},
    // Stored args that are not a JSON object stay as they are.
    {"fail", "{oops", FAILED, "{oops", "\"args: invalid JSON at byte 1: expected a key or '}'\"", "", NULL},
    {"fail", "", FAILED, "", "\"args: invalid JSON at byte 0: expected a value\"", "", NULL},
    {"fail", "[1]", FAILED, "[1]", "\"args must be a JSON object\"", "", NULL},
    {"fail", "[]", FAILED, "[]", "\"args must be a JSON object\"", "", NULL},
    {"fail", "null", FAILED, "null", "\"args must be a JSON object\"", "", NULL},
    {"undefined", "{}", JR_RUN_UNDEFINED, "", "", "", ""},
    {"", "{}", JR_RUN_UNDEFINED, "", "", "", ""},
};

static void check_case(fixture *f, const run_case *c) {
  const outcome *out = fixture_run(f, c->job, c->stored);
  CHECK(out->outcome == c->outcome, "%s: outcome %d", c->job, out->outcome);
  // Between two calls the error is JSON, in which U+FFFD stands for what is not UTF-8.
  const char *args = f->pauses && strcmp(c->job, "not_utf8") == 0 ? "{\"length\":5}" : c->args;
  CHECK(same_members(out->args, args), "%s: args %s", c->job, out->args);
  CHECK(same_members(out->error, c->error), "%s: error %s", c->job, out->error);
  CHECK(strcmp(out->errback_error, c->errback_error) == 0, "%s: errback_error %s", c->job, out->errback_error);
  char message[TEXT_CAPACITY];
  if (c->message != NULL) {
    snprintf(message, sizeof message, "%s", c->message);
  } else {
    snprintf(message, sizeof message, "%.*s", (int)strlen(c->error) - 2, c->error + 1);
  }
  CHECK(same_members(out->message, message), "%s: message %s", c->job, out->message);
}

static void check_details(fixture *f) {
  const outcome *out = fixture_run(f, "fail", "{}");
  CHECK(contains(out->traceback, "stack traceback:\n\t[C]: in function 'error'\n\tjobs/test.lua:5: in function"), "%s",
        out->traceback);
  out = fixture_run(f, "noop", "{}");
  CHECK(out->traceback[0] == 0, "a good run has a traceback: %s", out->traceback);
  out = fixture_run(f, "bad_args", "{}");
  CHECK(out->traceback[0] == 0, "no step raised, but: %s", out->traceback);
  out = fixture_run(f, "yield", "{}");
  CHECK(contains(out->traceback, "'coroutine.yield'"), "%s", out->traceback);
  out = fixture_run(f, "unstorable", "{}");
  CHECK(strncmp(out->message, "table: 0x", 9) == 0, "%s", out->message);
  out = fixture_run(f, "overflow", "{}");
  CHECK(out->outcome == FAILED && contains(out->message, "stack overflow"), "%s", out->message);
  CHECK(contains(out->traceback, "..."), "%s", out->traceback);
  out = fixture_run(f, "state", "{}");
  out = fixture_run(f, "state", "{}");
  CHECK(strcmp(out->args, "{\"n\":2}") == 0, "globals are not kept: %s", out->args);
}

static void check_job_itself(fixture *f) {
  static const char itself[] = "{\"id\":\"abc\",\"attempt\":1}";
  const outcome *out = fixture_run_with(f, "itself", "{}", itself, NULL);
  CHECK(strcmp(out->args, "{\"id\":\"abc\"}") == 0, "%s", out->args);
  out = fixture_run_with(f, "itself", "{\"job_itself\":5}", itself, NULL);
  CHECK(strcmp(out->args, "{\"id\":\"abc\"}") == 0, "%s", out->args);
  out = fixture_run_with(f, "itself_fails", "{\"k\":1}", itself, NULL);
  CHECK(out->outcome == FAILED && same_members(out->args, "{\"k\":1,\"id\":\"abc\"}"), "%s", out->args);
  out = fixture_run(f, "noop", "{\"job_itself\":{\"a\":1}}");
  CHECK(strcmp(out->args, "{}") == 0, "%s", out->args);
  out = fixture_run_with(f, "itself_fails", "{\"k\":1}", "[", NULL);
  CHECK(out->outcome == FAILED && strcmp(out->args, "{\"k\":1}") == 0, "%s", out->args);
  CHECK(strncmp(out->message, "args.job_itself: invalid JSON at byte 1", 39) == 0, "%s", out->message);
  out = fixture_run_with(f, "noop", "{}", "5", NULL);
  CHECK(strcmp(out->message, "args.job_itself must be a JSON object") == 0, "%s", out->message);
}

static void check_speaking(void) {
  static fixture f;
  fixture_start(&f,
                "print('loading')\n"
                "job('speak', function(args) print('a', 1, 2.0, nil, true) log.debug('d') "
                "log.info() log.warn('w', 'x')\n"
                "  log.error(setmetatable({}, {__tostring = function() return 'e' end})) print(json.null, CancelJob)\n"
                "  warn('a ', 'warning') end)\n"
                "job('bad', function() print(setmetatable({}, {__tostring = function() return {} end})) end)\n"
                "job('finalizer', function() setmetatable({}, {__gc = function() error('in gc', 0) "
                "end}) collectgarbage() end)\n");
  CHECK(strcmp(f.said, "INFO loading\n") == 0 && f.last_run == NULL, "%s", f.said);
  f.said[0] = 0;
  int token;
  fixture_run_with(&f, "speak", "{}", NULL, &token);
  CHECK(strcmp(f.said,
               "INFO a\t1\t2.0\tnil\ttrue\nDEBUG d\nINFO \nWARNING w\tx\nERROR e\nINFO null\tCancelJob\n"
               "WARNING a warning\n") == 0,
        "%s", f.said);
  CHECK(f.last_run == &token, "the run was not handed over");
  const outcome *out = fixture_run(&f, "bad", "{}");
  CHECK(contains(out->message, "'__tostring' must return a string"), "%s", out->message);
  f.said[0] = 0;
  out = fixture_run(&f, "finalizer", "{}");
  CHECK(out->outcome == OK && strcmp(f.said, "WARNING error in __gc (in gc)\n") == 0, "%s", f.said);
  fixture_close(&f);

  // A host that does not listen.
  jr_host host = {.context = NULL, .log = NULL};
  jr_options options = {0};
  jr_state *state = jr_open(&host, &options);
  jr_bytes error;
  static const char source[] = "print('x') warn('y') log.error('z')";
  CHECK(jr_load_script(state, "t.lua", source, sizeof source - 1, &error), "%.*s", (int)error.length, error.bytes);
  jr_close(state);
}

/// What steps return is told of once a job, but for nothing, nil and the args themselves.
static void check_results(void) {
  static fixture f;
  static int marks;
  fixture_start(&f,
                "job('table', function(args) return { v = 1 } end)\n"
                "job('callback', function() end) job_callback('callback', function() return nil, 'why' end)\n"
                "job('errback', function() error('x') end) job_errback('errback', function() return 0 end)\n"
                "job('nothing', function() return end)\n"
                "job('nil', function() return nil, nil end)\n"
                "job('args', function(args) return args end)\n"
                "job('other', function(args) return {} end)\n");
  static const char *const quiet[] = {"nothing", "nil", "args"};
  for (int i = 0; i < 3; i++) fixture_run(&f, quiet[i], "{}");
  CHECK(f.said[0] == 0, "%s", f.said);
  static const char *const lost[] = {"table", "callback", "errback", "other"};
  for (int i = 0; i < 4; i++) {
    for (int run = 0; run < 2; run++) {
      f.said[0] = 0;
      fixture_run_with(&f, lost[i], "{}", NULL, &marks);
      bool told =
          strcmp(f.said,
                 "WARNING what the job returns is lost: put it into args, such as args.result = \xE2\x80\xA6\n") == 0;
      CHECK(told ? run == 0 && f.last_run == &marks : run == 1 && f.said[0] == 0, "%s %d: %s", lost[i], run, f.said);
    }
  }
  fixture_close(&f);
}

static void check_bare_calls(void) {
  static fixture f;
  static const char args[] = "{\"n\":[]}";
  fixture_start(&f,
                "count = 0\n"
                "job('good', function(args) count = count + 1 assert(#args.n == 0) end)\n"
                "job('bad', function() count = count + 1 if count > 3 then error('enough') end end)\n"
                "job('count', function(args) args.count = count end)\n");
  CHECK(jr_time_bare_calls(f.state, "good", args, sizeof args - 1, 1000) >= 0, "calls that are good");
  CHECK(contains(fixture_run(&f, "count", "{}")->args, "\"count\":1000"), "not every call was made");
  CHECK(jr_time_bare_calls(f.state, "bad", args, sizeof args - 1, 10) == -1, "a call that raises");
  CHECK(jr_time_bare_calls(f.state, "nobody", args, sizeof args - 1, 10) == -1, "a job that is not there");
  CHECK(jr_time_bare_calls(f.state, "good", "{", 1, 10) == -1, "args that are none");
  CHECK(fixture_run(&f, "good", args)->outcome == OK, "a run after failed calls");
  fixture_close(&f);
}

void test_runs(void) {
  static fixture f;
  fixture_start(&f, jobs);
  // Twice: nothing of a run changes the next.
  for (int round = 0; round < 4; round++) {
    f.pauses = round >= 2;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_case(&f, &cases[i]);
  }
  CHECK(f.paused > 20, "%d runs paused", f.paused);
  CHECK(!contains(f.said, "not reached"), "%s", f.said);
  check_details(&f);
  check_job_itself(&f);
  fixture_close(&f);
  check_speaking();
  check_results();
  check_bare_calls();

  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  CHECK(fixture_run(&f, "noop", "{}")->outcome == JR_RUN_UNDEFINED, "a run before joining");
  fixture_close(&f);
}
