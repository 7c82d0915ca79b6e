// What errors call a setting: a parameter in Swift, or a flag of the program.
#include "check.h"

static const char jobs[] =
    "job('greedy', function() local all = {} while true do all[#all + 1] = ('x'):rep(10000) .. #all end end)\n"
    "job('requires', function() require('no.such') end)\n"
    "job('overruns', function() progress(0) while true do end end)\n"
    "job('greedy_as_text', function()\n"
    "  error(setmetatable({}, {__tostring = function() return ('x'):rep(1 << 30) end}))\n"
    "end)\n"
    "job('overruns_as_text', function()\n"
    "  error(setmetatable({}, {__tostring = function() progress(0) while true do end end}))\n"
    "end)\n";

enum { OVERRUNS = 3 };

static jr_state *running;

/// The run is at once told that it ran too long.
static void stop_slice(void *context, void *run, double fraction, const char *text, size_t length) {
  (void)context, (void)run, (void)fraction, (void)text, (void)length;
  jr_stop_slice(running, OVERRUNS);
}

static void ignore(void *context, jr_problem_severity severity, const char *text, size_t length) {
  (void)context, (void)severity, (void)text, (void)length;
}

static void keep(void *context, size_t index, jr_script_outcome outcome, const char *error, size_t length) {
  (void)index, (void)outcome;
  snprintf(context, TEXT_CAPACITY, "%.*s", (int)length, error);
}

static void check_message(const char *job, uint64_t number, const char *end) {
  jr_request request = {.name = job, .name_length = strlen(job), .args = "{}", .args_length = 2, .number = number};
  jr_result result;
  jr_run(running, &request, &result);
  static char text[TEXT_CAPACITY];
  snprintf(text, sizeof text, "%.*s", (int)result.message.length, result.message.bytes);
  CHECK(result.outcome == JR_RUN_FAILED && contains(text, end), "%s: %d %s", job, result.outcome, text);
}

static void check_names(bool flags, const char *memory_limit, const char *strict, const char *slice_limit) {
  jr_budget *budget = jr_budget_make(16 << 20);
  jr_host host = {.progress = stop_slice};
  jr_options options = {.budget = budget, .strict = true, .names_flags = flags};
  jr_bytes error = {0};
  running = jr_open(&host, &options);
  CHECK(running != NULL, "no state");
  CHECK(jr_load_script(running, "jobs/test.lua", jobs, sizeof jobs - 1, &error), "%s", error.bytes);
  CHECK(jr_join_definitions(running, NULL, ignore), "joining failed");
  check_message("greedy", 1, memory_limit);
  check_message("greedy_as_text", 1, memory_limit);
  check_message("requires", 2, strict);
  check_message("overruns", OVERRUNS, slice_limit);
  check_message("overruns_as_text", OVERRUNS, slice_limit);
  check_message("overruns_as_text", OVERRUNS, "jobs/test.lua:8: the job ran too long");
  jr_close(running);
  jr_budget_free(budget);
}

static void check_scripts(bool flags, const char *told) {
  static char text[TEXT_CAPACITY];
  jr_host host = {0};
  jr_options options = {.names_flags = flags};
  jr_script script = {.name = "jobs/a.lua", .module = "a", .source = "", .length = 0};
  jr_state *state = jr_open(&host, &options);
  CHECK(state != NULL, "no state");
  test_fail_allocations(1, 1L << 40);
  jr_load_scripts(state, &script, 1, text, keep);
  test_fail_allocations(1L << 60, 0);
  CHECK(strcmp(text, told) == 0, "%s", text);
  jr_close(state);
}

void test_setting_names(void) {
  check_names(false, "may have together (memoryLimit)", "is looked for with isSandboxed", "or raise sliceLimit");
  check_names(true, "may have together (--memory-limit)", "is looked for with --sandbox strict",
              "or raise --slice-limit");
  check_scripts(false, "not enough memory to load the script: raise memoryLimit");
  check_scripts(true, "not enough memory to load the script: raise --memory-limit");
}
