// Any bytes as JSON: nothing crashes, and what can be read can be written, read again, and does not change any more.
// The same bytes as a job's args through a job that changes nothing.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CLuaShim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jr_state *state;

static void fail(const char *what, const char *bytes, size_t length) {
  fprintf(stderr, "json_fuzzer: %s: %.*s\n", what, (int)length, bytes);
  abort();
}

static void open_state(void) {
  static const char script[] =
      "job('identity', function() end)\n"
      "job('fails', function(args) error(args) end)\n"
      "job('text', function(args) args.text = json.encode(json.decode(json.encode(args))) end)\n";
  jr_host host = {.context = NULL, .log = NULL};
  jr_options options = {.memory_limit = 64 << 20, .module_directory = NULL};
  jr_bytes error;
  state = jr_open(&host, &options);
  if (state == NULL || !jr_load_script(state, "fuzz.lua", script, sizeof script - 1, &error)) abort();
}

static void no_problem(void *context, jr_problem_severity severity, const char *message, size_t length) {
  (void)context;
  (void)severity;
  fail("a problem in the script", message, length);
}

/// The order of members is not defined, so texts are compared by how often each byte occurs.
static bool same_bytes(const char *a, size_t a_length, const char *b, size_t b_length) {
  long counts[256] = {0};
  if (a_length != b_length) return false;
  for (size_t i = 0; i < a_length; i++) {
    counts[(unsigned char)a[i]]++;
    counts[(unsigned char)b[i]]--;
  }
  for (int i = 0; i < 256; i++) {
    if (counts[i] != 0) return false;
  }
  return true;
}

static char *copy(jr_bytes bytes) {
  char *copied = malloc(bytes.length + 1);
  if (copied == NULL) abort();
  memcpy(copied, bytes.bytes, bytes.length);
  copied[bytes.length] = 0;
  return copied;
}

static jr_result run(const char *name, const char *args, size_t length) {
  jr_result result;
  jr_request request = {.name = name, .name_length = strlen(name), .args = args, .args_length = length};
  jr_run(state, &request, &result);
  return result;
}

/// `once` is what one trip made of the input; NULL when it is not JSON.
static void check_runs(const char *input, size_t length, const char *once, size_t once_length) {
  bool object = once != NULL && once[0] == '{';
  jr_result result = run("identity", input, length);
  if (result.outcome != (object ? JR_RUN_SUCCEEDED : JR_RUN_FAILED)) fail("outcome of identity", input, length);
  bool same = result.args.length == length && (length == 0 || memcmp(result.args.bytes, input, length) == 0);
  if (!object && !same) {
    fail("stored args were changed", result.args.bytes, result.args.length);
  }
  if (!object) return;
  bool all_keys = strstr(once, "job_itself") == NULL && strstr(once, "\"error\"") == NULL &&
                  strstr(once, "errback_error") == NULL && strstr(once, "\"message\"") == NULL;
  if (all_keys && !same_bytes(result.args.bytes, result.args.length, once, once_length)) {
    fail("identity changed the args", result.args.bytes, result.args.length);
  }
  result = run("fails", input, length);
  if (result.outcome != JR_RUN_FAILED || result.error.length == 0) fail("outcome of fails", input, length);
  if (all_keys && !same_bytes(result.error.bytes, result.error.length, once, once_length)) {
    fail("the error is not the args", result.error.bytes, result.error.length);
  }
  result = run("text", input, length);
  if (result.outcome != JR_RUN_SUCCEEDED) fail("outcome of text", result.message.bytes, result.message.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (state == NULL) {
    open_state();
    if (!jr_join_definitions(state, NULL, no_problem)) abort();
  }
  const char *input = (const char *)data;
  jr_bytes out;
  if (!jr_json_round_trip(state, input, size, &out)) {
    if (out.length == 0) fail("no reason", input, size);
    check_runs(input, size, NULL, 0);
    return 0;
  }
  size_t length = out.length;
  char *once = copy(out);
  if (!jr_json_round_trip(state, once, length, &out)) fail("what was written cannot be read", once, length);
  if (!same_bytes(once, length, out.bytes, out.length)) fail("the second trip made another text", once, length);
  check_runs(input, size, once, length);
  free(once);
  return 0;
}
