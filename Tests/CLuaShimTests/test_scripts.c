#include "check.h"

typedef struct {
  const char *source;
  const char *error;  // what the error starts with; NULL when the script is good
} script;

#define SPACES "job('a b', print)"

static const script scripts[] = {
    {"", NULL},
    {"\xEF\xBB\xBF", NULL},
    {"#!/usr/bin/env lua", NULL},
    {"\xEF\xBB\xBF#!/usr/bin/env lua\nlocal x = 1", NULL},
    {"job('a', function() end)", NULL},
    {"job 'a' (function() end)", NULL},
    {"job('a')(function() end)", NULL},
    {"job('a', {}, function() end)", NULL},
    {"job('a', {max_attempt = 3, retry_multiplier = 0.5}, function() end)", NULL},
    {"job('a', {max_attempt = 3.0})(function() end)", NULL},
    {"return job('a', function() end)", NULL},
    {"pcall(job, 'a', function() end)", NULL},
    {"job('a', print) job_callback('a', print) job_callback('a', 'two words', print) job_callback 'a' (print)", NULL},
    {"job('a', print) job_callback('a', 'label')(print) job_errback('a', print) job_errback('a', 'l', print)", NULL},
    {"job('h\xC3\xA9.-_/:1', print)", NULL},
    {"local later = job 'a' later(print)", NULL},
    // What stands in front of the text keeps its lines.
    {"#!/usr/bin/lua\nerror('x')", "jobs/t.lua:2: x\nstack traceback:\n\t[C]: in function 'error'\n\tjobs/t.lua:2: in"},
    {"\xEF\xBB\xBF#!/usr/bin/lua\n\nx x", "jobs/t.lua:3: syntax error near 'x'"},
    {"x = = 1", "jobs/t.lua:1: unexpected symbol near '='"},
    {"\n\nerror('x', 0)", "x\nstack traceback"},
    {"error({message = 'from a table'})", "from a table"},
    {"error({1, 2})", "[1,2]"},
    {"error()", "nil"},
    {"error(CancelJob)", "CancelJob"},
    {"error(setmetatable({print}, {__tostring = function() return 'said' end}))", "said"},
    {"error(setmetatable({print}, {__tostring = error}))", "(error object is a table value)"},
    {"cancel_job()", "jobs/t.lua:1: cancel_job can only be called while a job runs"},
    {"coroutine.yield()", "attempt to yield from outside a coroutine"},
    {"local function f() return f() + 1 end f()", "jobs/t.lua:1: stack overflow"},
    {"\x1BLua", "jobs/t.lua:1: this is compiled Lua: only source text is loaded"},
    {"\xEF\xBB\xBF\x1BLua", "jobs/t.lua:1: this is compiled Lua: only source text is loaded"},
    // Wrong arguments.
    {"job()", "jobs/t.lua:1: job: the name must be a non-empty string, got nil"},
    {"\njob(nil, print)", "jobs/t.lua:2: job: the name must be a non-empty string, got nil"},
    {"job(5, print)", "jobs/t.lua:1: job: the name must be a non-empty string, got number"},
    {"job('', print)", "jobs/t.lua:1: job: the name must be a non-empty string, got an empty one"},
    {"job(('x'):rep(256), print)", "jobs/t.lua:1: job: the name must have at most 255 bytes"},
    {"job('\\xff', print)", "jobs/t.lua:1: job: the name must be valid UTF-8"},
    {SPACES, "jobs/t.lua:1: job: the name must not contain spaces or control characters"},
    {"job('a\\n', print)", "jobs/t.lua:1: job: the name must not contain spaces or control characters"},
    {"job('a\\0', print)", "jobs/t.lua:1: job: the name must not contain spaces or control characters"},
    {"job('a\\x7f', print)", "jobs/t.lua:1: job: the name must not contain spaces or control characters"},
    {"job('\\u{85}', print)", "jobs/t.lua:1: job: the name must not contain spaces or control characters"},
    {"job('a', nil)", "jobs/t.lua:1: job: argument 2 must be a function or a table of options, got nil"},
    {"job('a', 5)", "jobs/t.lua:1: job: argument 2 must be a function or a table of options, got number"},
    {"job('a', 'b', print)", "jobs/t.lua:1: job: argument 2 must be a table of options, got string"},
    {"job('a', print, print)", "jobs/t.lua:1: job: argument 2 must be a table of options, got function"},
    {"job('a', {}, 5)", "jobs/t.lua:1: job: argument 3 must be a function, got number"},
    {"job('a', {}, print, 1)", "jobs/t.lua:1: job: expected at most 3 arguments, got 4"},
    {"job('a', {max_attempts = 1}, print)",
     "jobs/t.lua:1: job: unknown option 'max_attempts' (known: max_attempt, retry_multiplier, backoff, "
     "jitter, max_retry_delay, timeout, priority, limit)"},
    {"job('a', {5}, print)", "jobs/t.lua:1: job: the options must have string keys, got a number as key"},
    {"job('a', {max_attempt = 0}, print)",
     "jobs/t.lua:1: job: option 'max_attempt' must be an integer from 1 to 1000000000, got 0"},
    {"job('a', {max_attempt = 1.5}, print)",
     "jobs/t.lua:1: job: option 'max_attempt' must be an integer from 1 to 1000000000, got 1.5"},
    {"job('a', {max_attempt = '3'}, print)",
     "jobs/t.lua:1: job: option 'max_attempt' must be an integer from 1 to 1000000000, got string"},
    {"job('a', {retry_multiplier = -1}, print)",
     "jobs/t.lua:1: job: option 'retry_multiplier' must be a number of seconds from 0 to 1000000000, got -1"},
    {"job('a', {retry_multiplier = 0/0}, print)", "jobs/t.lua:1: job: option 'retry_multiplier' must be a number"},
    {"job('a', {retry_multiplier = math.huge}, print)", "jobs/t.lua:1: job: option 'retry_multiplier' must be"},
    {"job_callback()", "jobs/t.lua:1: job_callback: the name must be a non-empty string, got nil"},
    {"job_callback('a', nil)", "jobs/t.lua:1: job_callback: argument 2 must be a function or a label, got nil"},
    {"job_callback('a', {}, print)", "jobs/t.lua:1: job_callback: argument 2 must be a label, got table"},
    {"job_callback('a', '', print)", "jobs/t.lua:1: job_callback: the label must be a non-empty string, got an empty"},
    {"job_errback('a', 'b\\n', print)", "jobs/t.lua:1: job_errback: the label must not contain control characters"},
    {"job_errback('a', 'b', 'c')", "jobs/t.lua:1: job_errback: argument 3 must be a function, got string"},
    // The curried form.
    {"job 'a' ()", "jobs/t.lua:1: job 'a': expected one function, got nil"},
    {"job 'a' 'b'", "jobs/t.lua:1: job 'a': expected one function, got string"},
    {"job 'a' (print, 1)", "jobs/t.lua:1: job 'a': expected one function, got more arguments"},
    {"local f = job 'a' f(print) f(print)", "jobs/t.lua:1: job 'a' already has its function"},
    {"\n\njob 'a'", "jobs/t.lua:3: job 'a' has no function: write job 'a' (function(args) ... end)"},
    {"job 'a' (print)\njob_callback('a', 'l')", "jobs/t.lua:2: job_callback 'a' has no function: write job_callback"},
};

static void check_scripts(void) {
  static fixture f;
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    CHECK(fixture_open(&f, 0, NULL), "the state did not open");
    const char *error = fixture_load(&f, "jobs/t.lua", scripts[i].source);
    if (scripts[i].error == NULL) {
      CHECK(error == NULL, "%s: %s", scripts[i].source, error);
    } else {
      bool good = error != NULL && strncmp(error, scripts[i].error, strlen(scripts[i].error)) == 0;
      CHECK(good, "%s gave %s, not %s", scripts[i].source, error != NULL ? error : "no error", scripts[i].error);
      CHECK(fixture_join(&f) && f.jobs[0] == 0 && f.problems[0] == 0, "%s left %s%s", scripts[i].source, f.jobs,
            f.problems);
    }
    fixture_close(&f);
  }
}

static void check_joining(void) {
  static fixture f;
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  // A callback may stand in a file before its job's; a script that raises leaves nothing.
  CHECK(fixture_load(&f, "jobs/a.lua",
                     "job_callback('b', function(args) args.steps = args.steps .. ' a' end)\n"
                     "job('x', {max_attempt = 2}, function(args) args.old = 1 end)\n") == NULL,
        "a.lua");
  CHECK(fixture_load(&f, "jobs/b.lua",
                     "job('b', {max_attempt = 7, retry_multiplier = 1.5}, function(args) args.steps = 'b' end)\n"
                     "job_callback('b', 'second', function(args) args.steps = args.steps .. ' b' end)\n"
                     "job_errback('b', print)\n") == NULL,
        "b.lua");
  CHECK(fixture_load(&f, "jobs/bad.lua", "job('bad', print) job_callback('b', print) error('no')") != NULL, "bad.lua");
  CHECK(fixture_load(&f, "jobs/c.lua",
                     "job_callback('b', function(args) args.steps = args.steps .. ' c' end)\n"
                     "\n"
                     "job('x', function(args) args.new = 1 end)\n"
                     "job('x', function(args) args.newest = 1 end)\n"
                     "job_errback('bb', print)\n"
                     "job_callback('nothing like it', print)\n") != NULL,
        "a name with spaces was taken");
  CHECK(fixture_load(&f, "jobs/c.lua",
                     "job_callback('b', function(args) args.steps = args.steps .. ' c' end)\n"
                     "\n"
                     "job('x', function(args) args.new = 1 end)\n"
                     "job('x', function(args) args.newest = 1 end)\n"
                     "job_errback('bb', print)\n"
                     "job_callback('nothing_like_it', print)\n"
                     "job_callback('x', function(args) args.called = 1 end)\n") == NULL,
        "c.lua");
  CHECK(fixture_join(&f), "joining failed");
  static const char problems[] =
      "warning: jobs/c.lua:3: job 'x' replaces the one defined at jobs/a.lua:2\n"
      "warning: jobs/c.lua:4: job 'x' replaces the one defined at jobs/c.lua:3\n"
      "error: jobs/c.lua:5: job_errback for 'bb', but no script defines job 'bb' (did you mean 'b'?)\n"
      "error: jobs/c.lua:6: job_callback for 'nothing_like_it', but no script defines job 'nothing_like_it'\n";
  CHECK(strcmp(f.problems, problems) == 0, "%s", f.problems);
  CHECK(strcmp(f.jobs, "b jobs/b.lua:1 3 1 7 1.5\nx jobs/c.lua:4 1 0 nan nan\n") == 0, "%s", f.jobs);

  const outcome *out = fixture_run(&f, "b", "{}");
  CHECK(out->outcome == JR_RUN_SUCCEEDED && strcmp(out->args, "{\"steps\":\"b a b c\"}") == 0, "%s", out->args);
  out = fixture_run(&f, "x", "{}");
  CHECK(same_members(out->args, "{\"newest\":1,\"called\":1}"), "%s", out->args);
  out = fixture_run(&f, "bad", "{}");
  CHECK(out->outcome == JR_RUN_UNDEFINED && out->args[0] == 0 && out->message[0] == 0, "%d", out->outcome);
  fixture_close(&f);
}

typedef struct {
  const char *names;  // a line of Lua that defines jobs
  const char *wanted;
  const char *suggestion;  // NULL for none
} near_name;

static const near_name near_names[] = {
    {"job('resize', print)", "resiz", "resize"},
    {"job('resize', print)", "Resize", "resize"},
    {"job('resize', print)", "rezise", "resize"},
    {"job('resize', print)", "resizing", NULL},
    {"job('resize', print)", "mail", NULL},
    {"job('bb', print) job('ba', print) job('bd', print)", "bc", "ba"},
    {"job('send_mail', print) job('sendmail', print)", "send_mai", "send_mail"},
    {"", "x", NULL},
    {"job(('x'):rep(255), print)", "x", NULL},
};

static void check_near_names(void) {
  static fixture f;
  for (size_t i = 0; i < sizeof near_names / sizeof near_names[0]; i++) {
    char source[500], expected[100] = "";
    snprintf(source, sizeof source, "%s job_callback('%s', print)", near_names[i].names, near_names[i].wanted);
    if (near_names[i].suggestion != NULL) {
      snprintf(expected, sizeof expected, "(did you mean '%s'?)", near_names[i].suggestion);
    }
    CHECK(fixture_open(&f, 0, NULL), "the state did not open");
    CHECK(fixture_load(&f, "t.lua", source) == NULL && fixture_join(&f), "%s", source);
    bool good = expected[0] == 0 ? !contains(f.problems, "did you mean") : contains(f.problems, expected);
    CHECK(good, "%s gave %s", source, f.problems);
    fixture_close(&f);
  }
}

static void check_names(void) {
  static fixture f;
  // Names past 40 bytes are another kind of string in Lua.
  fixture_start(&f,
                "job(('n'):rep(255), function(a) a.x = 1 end) job_callback(('n'):rep(255), function(a) a.x = 2 end)\n"
                "for i = 200, 1, -1 do job('j' .. i, function(a) a.x = i end) end");
  char name[256] = "";
  memset(name, 'n', 255);
  const outcome *out = fixture_run(&f, name, "{}");
  CHECK(out->outcome == JR_RUN_SUCCEEDED && strcmp(out->args, "{\"x\":2}") == 0, "%s", out->args);
  out = fixture_run(&f, "j77", "{}");
  CHECK(strcmp(out->args, "{\"x\":77}") == 0, "%s", out->args);
  char before[300] = "";
  int lines = 0, disorder = 0;
  for (char *line = strtok(f.jobs, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
    if (strcmp(before, line) > 0) disorder++;
    snprintf(before, sizeof before, "%s", line);
  }
  CHECK(lines == 201 && disorder == 0, "%d jobs, %d not in order", lines, disorder);
  fixture_close(&f);

  // A path longer than Lua shows in its errors.
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  char path[200] = "";
  for (int i = 0; i < 12; i++) strcat(path, "long_folder/");
  strcat(path, "x.lua");
  CHECK(fixture_load(&f, path, "job('x', print)") == NULL && fixture_join(&f) && contains(f.jobs, path), "%s", f.jobs);
  fixture_close(&f);
}

static void check_only_while_loading(void) {
  static fixture f;
  fixture_start(&f,
                "job('a', function() job('b', print) end)\n"
                "job('c', function() job_callback('a', print) end)\n"
                "local later = job 'd' later(function() later(print) end)\n");
  const outcome *out = fixture_run(&f, "a", "{}");
  CHECK(strcmp(out->message, "jobs/test.lua:1: job can only be called while scripts load") == 0, "%s", out->message);
  out = fixture_run(&f, "c", "{}");
  CHECK(strcmp(out->message, "jobs/test.lua:2: job_callback can only be called while scripts load") == 0, "%s",
        out->message);
  out = fixture_run(&f, "d", "{}");
  CHECK(strcmp(out->message, "jobs/test.lua:3: job can only be called while scripts load") == 0, "%s", out->message);
  fixture_close(&f);
}

/// Bytes are not taken for text that ends at a NULL.
static void check_bytes(void) {
  static fixture f;
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  static const char with_null[] = "local x = 'a\0b' assert(#x == 3) job('a', print)";
  const char *error = fixture_load_bytes(&f, "t.lua", with_null, sizeof with_null - 1);
  CHECK(error == NULL, "%s", error);
  CHECK(fixture_load_bytes(&f, "t.lua", "return 1 +", 8) == NULL, "bytes past the length were read");
  fixture_close(&f);
}

void test_scripts(void) {
  check_scripts();
  check_joining();
  check_near_names();
  check_names();
  check_only_while_loading();
  check_bytes();
}
