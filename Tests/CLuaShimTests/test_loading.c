// A folder of scripts: each runs once, by its turn or because another requires it; a broken one falls back.
#include "check.h"

typedef struct {
  char told[TEXT_CAPACITY];  // `INDEX OUTCOME error` lines
} listener;

static void tell(void *context, size_t index, jr_script_outcome outcome, const char *error, size_t length) {
  listener *l = context;
  size_t used = strlen(l->told);
  snprintf(l->told + used, sizeof l->told - used, "%zu %d %.*s\n", index, outcome, (int)length, error);
}

static jr_script script(const char *name, const char *module, const char *source, const char *fallback) {
  return (jr_script){.name = name,
                     .module = module,
                     .source = source,
                     .length = strlen(source),
                     .fallback = fallback,
                     .fallback_length = fallback != NULL ? strlen(fallback) : 0};
}

enum { MOST = 8 };

/// Loads and joins.
static const char *load(fixture *f, const jr_script *scripts, size_t count) {
  static listener l;
  l.told[0] = 0;
  CHECK(fixture_open(f, 0, "nowhere"), "the state did not open");
  jr_load_scripts(f->state, scripts, count, &l, tell);
  CHECK(fixture_join(f), "joining failed");
  return l.told;
}

static void check_once(void) {
  static fixture f;
  jr_script scripts[] = {
      script(
          "jobs/a.lua", "a",
          "runs = (runs or '') .. 'a' local lib = require 'lib.x' assert(lib.value == 7 and lib == require 'lib.x')\n"
          "job('a', function(args) args.same = require('lib.x') == lib args.plain = require('z') end)",
          NULL),
      script("jobs/lib/x.lua", "lib.x",
             "runs = (runs or '') .. 'x' local name, file = ... assert(name == 'lib.x' and file == 'jobs/lib/x.lua')\n"
             "job('from_module', function() end) return { value = 7 }",
             NULL),
      script("jobs/z.lua", "z", "runs = runs .. 'z' job('runs', function(args) args.runs = runs end)", NULL),
      script("jobs/string.lua", "string", "runs = runs .. 's'", NULL),
  };
  const char *told = load(&f, scripts, 4);
  CHECK(strcmp(told, "1 0 \n0 0 \n2 0 \n3 0 \n") == 0, "%s", told);
  CHECK(contains(f.jobs, "from_module jobs/lib/x.lua:2 "), "%s", f.jobs);
  CHECK(contains(f.jobs, "a jobs/a.lua:2 "), "%s", f.jobs);
  const outcome *out = fixture_run(&f, "a", "{}");
  CHECK(same_members(out->args, "{\"same\":true,\"plain\":true}"), "%s %s", out->args, out->message);
  out = fixture_run(&f, "runs", "{}");
  CHECK(strcmp(out->args, "{\"runs\":\"axzs\"}") == 0, "%s", out->args);
  fixture_close(&f);
}

static void check_broken(void) {
  static fixture f;
  jr_script scripts[] = {
      script("jobs/a.lua", "a", "job('lost', print) local lib = require 'lib' job('a', function() end)", NULL),
      script("jobs/b.lua", "b", "job('b', function(args) args.v = 2 end) error('late')",
             "job('b', function(args) args.v = 1 end)"),
      script("jobs/c.lua", "c", "this is no Lua", "nor is this"),
      script("jobs/d.lua", "d", "local b = require('b') job('d', function(args) args.b = b end)", NULL),
      script("jobs/lib.lua", "lib", "local x = nil\nreturn x.y", NULL),
  };
  const char *told = load(&f, scripts, 5);
  CHECK(contains(told, "4 2 jobs/lib.lua:2: attempt to index a nil value"), "%s", told);
  CHECK(contains(told, "0 2 jobs/a.lua:1: module 'lib' cannot be loaded: jobs/lib.lua:2: attempt to index"), "%s",
        told);
  CHECK(contains(told, "1 1 jobs/b.lua:1: late\nstack traceback:"), "%s", told);
  CHECK(contains(told, "2 2 jobs/c.lua:1: syntax error"), "%s", told);
  CHECK(contains(told, "3 0 \n"), "%s", told);
  CHECK(!contains(f.jobs, "lost") && contains(f.jobs, "b jobs/b.lua:1 "), "%s", f.jobs);
  const outcome *out = fixture_run(&f, "b", "{}");
  CHECK(strcmp(out->args, "{\"v\":1}") == 0, "%s", out->args);
  out = fixture_run(&f, "d", "{}");
  CHECK(strcmp(out->args, "{\"b\":true}") == 0, "%s", out->args);
  fixture_close(&f);
}

/// What cannot be read fails as what cannot be loaded does.
static void check_unreadable(void) {
  static fixture f;
  jr_script scripts[] = {
      script("jobs/a.lua", "a", "", "job('a', function(args) args.v = 1 end) return 7"),
      script("jobs/b.lua", "b", "", NULL),
      script("jobs/c.lua", "c",
             "local a, good, why = require 'a', pcall(require, 'b')\n"
             "job('c', function(args) args.a = a args.why = why end)",
             NULL),
  };
  scripts[0].problem = "jobs/a.lua: cannot be read";
  scripts[1].problem = "jobs/b.lua: cannot be read";
  const char *told = load(&f, scripts, 3);
  CHECK(strcmp(told, "0 1 jobs/a.lua: cannot be read\n1 2 jobs/b.lua: cannot be read\n2 0 \n") == 0, "%s", told);
  const outcome *out = fixture_run(&f, "a", "{}");
  CHECK(strcmp(out->args, "{\"v\":1}") == 0, "%s", out->args);
  out = fixture_run(&f, "c", "{}");
  CHECK(contains(out->args, "\"a\":7") && contains(out->args, "cannot be loaded: jobs/b.lua: cannot be read"), "%s",
        out->args);
  fixture_close(&f);
}

/// What never comes to its end while it is loaded, in whatever way, is given up.
static void check_endless(void) {
  static fixture f;
  jr_script scripts[] = {
      script("jobs/a.lua", NULL, "job('a', print)\nwhile true do pcall(function() while true do end end) end",
             "job('a', print)"),
      script("jobs/b.lua", NULL, "coroutine.wrap(function() while true do end end)()", NULL),
      script("jobs/c.lua", NULL, "local good = pcall(require, 'd') job('c', function(args) args.good = good end)",
             NULL),
      script("jobs/d.lua", "d", "repeat until false", NULL),
  };
  const char *told = load(&f, scripts, 4);
  CHECK(contains(told, "0 1 jobs/a.lua:2: the script ran longer than 1 s while it was loaded"), "%s", told);
  CHECK(contains(told, "1 2 jobs/b.lua:1: the script ran longer than 1 s"), "%s", told);
  CHECK(contains(told, "2 0 \n") && contains(told, "3 2 jobs/d.lua:1: the script ran longer"), "%s", told);
  const outcome *out = fixture_run(&f, "c", "{}");
  CHECK(strcmp(out->args, "{\"good\":false}") == 0, "%s %s", out->args, out->message);
  fixture_close(&f);
}

/// So are finalizers, whatever they are: while scripts are loaded, and when the state is looked at, and closed.
static void check_endless_finalizers(void) {
  static fixture f;
  static const char hang[] = "local function hang() while true do end end\n";
  char sources[MOST][512];
  static const char *const endings[] = {
      "setmetatable({}, {__gc = hang}) collectgarbage()",
      "local m = {__gc = true} setmetatable({}, m) m.__gc = hang collectgarbage()",
      "setmetatable({}, {__gc = coroutine.wrap(hang)}) collectgarbage()",
      "setmetatable({}, {__gc = pcall, __call = hang}) collectgarbage()",
      "kept = setmetatable({}, {__gc = function() print('closed') hang() end})",
      "job('good', function(args) kept = nil collectgarbage() end)",
  };
  jr_script scripts[6];
  for (int i = 0; i < 6; i++) {
    static const char *const names[] = {"jobs/a.lua", "jobs/b.lua", "jobs/c.lua",
                                        "jobs/d.lua", "jobs/e.lua", "jobs/f.lua"};
    snprintf(sources[i], sizeof sources[i], "%s%s", hang, endings[i]);
    scripts[i] = script(names[i], NULL, sources[i], NULL);
  }
  const char *told = load(&f, scripts, 6);
  for (int i = 0; i < 4; i++) {
    char line[64];
    snprintf(line, sizeof line, "%d 2 %s:1: the script ran longer than 1 s while it was loaded", i, scripts[i].name);
    CHECK(contains(told, line), "%s", told);
  }
  CHECK(contains(told, "4 0 \n") && contains(told, "5 0 \n"), "%s", told);
  f.said[0] = 0;
  fixture_close(&f);
  CHECK(contains(f.said, "INFO closed\n"), "%s", f.said);
  CHECK(contains(f.said, "WARNING jobs/e.lua:1: a finalizer (__gc) ran longer than 1 s while its scripts were closed"),
        "%s", f.said);

  // Of many that hang none has time of its own.
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  CHECK(fixture_load(&f, "jobs/a.lua",
                     "kept = {} for i = 1, 10000 do\n"
                     "kept[i] = setmetatable({}, {__gc = function() while true do end end}) end") == NULL,
        "the script did not load");
  fixture_close(&f);
}

/// Files are closed by their own finalizer, which no script replaces; it sees the rest of their metatable.
static void check_files(void) {
  static fixture f;
  fixture_start(&f,
                "local m = getmetatable(io.stdout)\n"
                "assert(m.__name == 'FILE*' and m.__index.write == io.stdout.write)\n"
                "m.__gc, m.__index.shout = error, function(_, x) return x:upper() end\n"
                "assert(io.stdout:shout('a') == 'A' and getmetatable(io.stdout) == m)\n"
                "io.open('/dev/null') collectgarbage()\n");
  CHECK(f.said[0] == 0, "%s", f.said);
  fixture_close(&f);
  CHECK(f.said[0] == 0, "%s", f.said);
}

/// The order of finalizers, and what comes of those that live on, are Lua's.
static void check_finalizers(void) {
  static fixture f;
  fixture_start(
      &f,
      "local said = {}\n"
      "local function make(name, keep)\n"
      "  return setmetatable({name = name}, {__gc = function(x) said[#said + 1] = x.name keep(x) end})\n"
      "end\n"
      "local back, weak, ephemeron = nil, setmetatable({}, {__mode = 'v'}), setmetatable({}, {__mode = 'k'})\n"
      "do\n"
      "  local a, b = make('a', function() end), make('b', function(x) back = x end)\n"
      "  a.b, b.a, weak[1], ephemeron[b] = b, a, b, 'kept'\n"
      "  setmetatable(a, getmetatable(a))\n"
      "end\n"
      "collectgarbage()\n"
      "assert(table.concat(said) == 'ba' and back.name == 'b' and weak[1] == nil and ephemeron[back] == 'kept')\n"
      "back = nil collectgarbage()\n"
      "assert(table.concat(said) == 'ba' and next(ephemeron) == nil)\n"
      "do\n"
      "  local c = make('c', function(x) setmetatable(x, getmetatable(x)) end)\n"
      "end\n"
      "collectgarbage() assert(table.concat(said) == 'bac')\n"
      "collectgarbage() assert(table.concat(said) == 'bacc')\n"
      "setmetatable(make('d', print), nil) collectgarbage() assert(table.concat(said) == 'bacc' .. 'c')\n"
      "collectgarbage('generational')\n"
      "for i = 1, 1000 do make('', function() end) end\n"
      "local old = make('old', function() end)\n"
      "collectgarbage() collectgarbage() old = nil collectgarbage() collectgarbage()\n"
      "assert(table.concat(said):find('old'))\n"
      "collectgarbage('incremental')\n"
      "local m = {__gc = true} setmetatable({}, m) collectgarbage()\n");
  CHECK(strcmp(f.said, "WARNING error in __gc (attempt to call a boolean value)\n") == 0, "%s", f.said);
  fixture_close(&f);
}

static void check_cycle(void) {
  static fixture f;
  jr_script scripts[] = {
      script("jobs/a.lua", "a", "require 'b'", NULL),
      script("jobs/b.lua", "b", "require 'c'", NULL),
      script("jobs/c.lua", "c", "require 'b'", NULL),
      script("jobs/good.lua", NULL, "job('good', function() end)", NULL),
  };
  const char *told = load(&f, scripts, 4);
  CHECK(contains(told, "module 'b' requires itself: by jobs/c.lua, which is required by jobs/b.lua\n"), "%s", told);
  CHECK(contains(told, "3 0 \n") && contains(f.jobs, "good"), "%s", told);
  fixture_close(&f);
}

/// What waits runs where it is required, by scripts or by a job, by either form of its name, and once.
static void check_waiting(void) {
  static fixture f;
  jr_script scripts[] = {
      script("jobs/a.lua", "a",
             "runs = '' local early = require 'lib/early'\n"
             "job('a', function(args)\n"
             "  local late = require 'lib.late'\n"
             "  args.same = late == require 'lib/late' and early == require 'lib.early' and late.early == early\n"
             "  args.plain = require('lib.nothing') args.runs = runs\n"
             "end)\n"
             "job('fails', function(args)\n"
             "  for i, name in ipairs { 'lib.broken', 'lib.raises', 'lib.turns', 'lib.defines', 'lib/none' } do\n"
             "    args['e' .. i] = select(2, pcall(require, name))\n"
             "  end\n"
             "end)\n"
             "job('again', function(args) raises = false args.v = require('lib.raises') end)\n"
             "job('cancels', function() pcall(require, 'lib.cancels') end)",
             NULL),
      script("jobs/lib/broken.lua", "lib.broken", "return (", NULL),
      script("jobs/lib/cancels.lua", "lib.cancels", "cancel_job()", NULL),
      script("jobs/lib/defines.lua", "lib.defines", "job('late', print)", NULL),
      script("jobs/lib/early.lua", "lib.early", "runs = runs .. 'e' return {}", NULL),
      script("jobs/lib/late.lua", "lib.late",
             "runs = runs .. 'l' local name, file = ... assert(name == 'lib.late' and file == 'jobs/lib/late.lua')\n"
             "return { early = require 'lib/early' }",
             NULL),
      script("jobs/lib/nothing.lua", "lib.nothing", "runs = runs .. 'n'", NULL),
      script("jobs/lib/raises.lua", "lib.raises", "if raises ~= false then error('not yet') end return 7", NULL),
      script("jobs/lib/turns.lua", "lib.turns", "return require 'lib/turns'", NULL),
      script("jobs/lib/v1.2/x.lua", NULL, "runs = runs .. 'x'", NULL),
      script("jobs/z.lua", "z", "runs = runs .. 'z'", NULL),
  };
  for (int i = 1; i < 10; i++) scripts[i].waits = true;
  const char *told = load(&f, scripts, 11);
  CHECK(strcmp(told, "4 0 \n0 0 \n10 0 \n") == 0, "%s", told);
  const outcome *out = fixture_run(&f, "fails", "{}");
  CHECK(contains(out->args, "module 'lib.broken' cannot be loaded: jobs/lib/broken.lua:1: "), "%s %s", out->args,
        out->message);
  CHECK(contains(out->args, "module 'lib.raises' cannot be loaded: jobs/lib/raises.lua:1: not yet"), "%s", out->args);
  CHECK(contains(out->args, "module 'lib.turns' requires itself"), "%s", out->args);
  CHECK(contains(out->args, "job can only be called while scripts load"), "%s", out->args);
  CHECK(contains(out->args, "module 'lib.none' not found"), "%s", out->args);
  out = fixture_run(&f, "again", "{}");
  CHECK(strcmp(out->args, "{\"v\":7}") == 0, "%s %s", out->args, out->message);
  out = fixture_run(&f, "cancels", "{}");
  CHECK(out->outcome == JR_RUN_CANCELLED, "%d", out->outcome);
  out = fixture_run(&f, "a", "{}");
  CHECK(same_members(out->args, "{\"same\":true,\"plain\":true,\"runs\":\"ezln\"}"), "%s %s", out->args, out->message);
  fixture_close(&f);
}

static void note_name(void *context, const char *name, size_t length) {
  listener *l = context;
  size_t used = strlen(l->told);
  snprintf(l->told + used, sizeof l->told - used, " %.*s ", (int)length, name);
}

static void check_built_in(void) {
  static fixture f;
  static listener l;
  l.told[0] = 0;
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  CHECK(jr_list_modules(f.state, &l, note_name), "no list");
  CHECK(contains(l.told, " json ") && contains(l.told, " string ") && !contains(l.told, " http "), "%s", l.told);
  fixture_close(&f);
}

/// Every allocation fails, alone and with those after it: each script is told of, and what is loaded works.
static void check_faults(void) {
  jr_script scripts[] = {
      script("jobs/a.lua", "a", "local lib = require 'lib' job('a', function(args) args.v = lib.v end)", NULL),
      script("jobs/b.lua", "b", "error('x')", "job('b', function(args) args.v = 1 end)"),
      script("jobs/lib.lua", "lib", "return { v = 1 }", NULL),
      script("jobs/late.lua", "late", "return { v = 1 }", NULL),
  };
  scripts[3].waits = true;
  static const long series[] = {1, 3, 1L << 40};
  for (size_t s = 0; s < sizeof series / sizeof series[0]; s++) {
    for (long n = 1;; n++) {
      static fixture f;
      static listener l;
      l.told[0] = 0;
      CHECK(fixture_open(&f, 0, NULL), "the state did not open");
      test_fail_allocations(n, n + series[s] - 1);
      jr_load_scripts(f.state, scripts, 4, &l, tell);
      bool failed = test_failed_allocations() > 0;
      test_fail_allocations(1L << 60, 0);
      for (int i = 0; i < 3; i++) {
        char line[8];
        snprintf(line, sizeof line, "%d ", i);
        const char *at = strncmp(l.told, line, 2) == 0 ? l.told : NULL;
        char later[10];
        snprintf(later, sizeof later, "\n%d ", i);
        CHECK(at != NULL || contains(l.told, later), "script %d, allocation %ld: %s", i, n, l.told);
      }
      CHECK(fixture_join(&f), "joining failed");
      if (contains(f.jobs, "a jobs/a.lua")) {
        const outcome *out = fixture_run(&f, "a", "{}");
        CHECK(strcmp(out->args, "{\"v\":1}") == 0, "%s %s", out->args, out->message);
      }
      fixture_close(&f);
      if (!failed) break;
    }
  }
}

/// A script that catches what `require` raises goes on, and so does all that it requires after that.
static void check_caught_faults(void) {
  jr_script scripts[] = {
      script("jobs/a.lua", "a",
             "local good, one = pcall(require, 'one') local better, two = pcall(require, 'two')\n"
             "job('a', function(args) args.good = (not good or one == 1) and (not better or two == 2) end)",
             NULL),
      script("jobs/four.lua", "four", "return 4", NULL),
      script("jobs/one.lua", "one", "job('one', function() end) return 1", NULL),
      script("jobs/three.lua", "three", "error(('long '):rep(100))", NULL),
      script("jobs/two.lua", "two",
             "string.gsub('x', 'x', function() pcall(require, 'three') end) pcall(require, 'four')\n"
             "job('two', function() end) return 2",
             NULL),
  };
  for (long length = 1; length <= 4; length++) {
    for (long n = 1;; n++) {
      static fixture f;
      static listener l;
      l.told[0] = 0;
      CHECK(fixture_open(&f, 0, NULL), "the state did not open");
      test_fail_allocations(n, n + length - 1);
      jr_load_scripts(f.state, scripts, 5, &l, tell);
      bool failed = test_failed_allocations() > 0;
      test_fail_allocations(1L << 60, 0);
      CHECK(fixture_join(&f), "joining failed");
      static const char *const names[] = {"a", "one", "two"};
      static const char *const good[] = {"0 0 \n", "2 0 \n", "4 0 \n"};
      for (int i = 0; i < 3; i++) {
        char job[16];
        snprintf(job, sizeof job, "%s jobs/", names[i]);
        CHECK(contains(l.told, good[i]) == contains(f.jobs, job), "%s, allocations %ld to %ld: %s%s", names[i], n,
              n + length - 1, l.told, f.jobs);
      }
      if (contains(l.told, good[0])) {
        const outcome *out = fixture_run(&f, "a", "{}");
        CHECK(strcmp(out->args, "{\"good\":true}") == 0, "%s %s", out->args, out->message);
      }
      fixture_close(&f);
      if (!failed) break;
    }
  }
}

void test_loading(void) {
  check_once();
  check_broken();
  check_unreadable();
  check_waiting();
  check_built_in();
  check_cycle();
  check_endless();
  check_endless_finalizers();
  check_files();
  check_finalizers();
  check_faults();
  check_caught_faults();
}
