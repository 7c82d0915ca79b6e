#include "check.h"

static void check_script(void) {
  static fixture f;
  char *source = read_test_file("scripts/cancelling.lua");
  fixture_start(&f, source);
  free(source);
  static char jobs[TEXT_CAPACITY];
  memcpy(jobs, f.jobs, sizeof jobs);
  int count = 0;
  for (char *line = strtok(jobs, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char name[300];
    sscanf(line, "%299s", name);
    const outcome *out = fixture_run(&f, name, "{}");
    CHECK(out->outcome == JR_RUN_CANCELLED, "%s: outcome %d, %s", name, out->outcome, out->message);
    CHECK(strcmp(out->args, "{\"stands\":1}") == 0, "%s: args %s", name, out->args);
    CHECK(out->error[0] == 0 && out->errback_error[0] == 0 && out->traceback[0] == 0 && out->message[0] == 0,
          "%s: %s %s %s %s", name, out->error, out->errback_error, out->traceback, out->message);
    count++;
  }
  CHECK(count > 30, "only %d jobs", count);
  fixture_close(&f);
}

static void check_errbacks(void) {
  static fixture f;
  fixture_start(&f,
                "job('errback', function(args) args.lost = 1 error('x', 0) end)\n"
                "job_errback('errback', function(args) args.kept = 1 pcall(cancel_job) args.lost = 1 end)\n"
                "job_errback('errback', function(args) args.lost = 1 end)\n"
                "job('bad_args', function(args) args.f = print cancel_job() end)\n"
                "job_errback('bad_args', function(args) print('not reached') end)\n"
                "job('bad_errback_args', function(args) error('x', 0) end)\n"
                "job_errback('bad_errback_args', function(args) args.f = print error(CancelJob) end)\n"
                "job('tostring', function(args) error(setmetatable({print}, {__tostring = cancel_job})) end)\n"
                "job_errback('tostring', function(args) args.kept = 1 end)\n"
                "job('next', function(args) args.ran = 1 end)\n");
  const outcome *out = fixture_run(&f, "errback", "{\"k\":1}");
  CHECK(out->outcome == JR_RUN_FAILED_CANCELLED, "outcome %d", out->outcome);
  CHECK(same_members(out->args, "{\"k\":1,\"kept\":1}"), "%s", out->args);
  CHECK(strcmp(out->message, "x") == 0 && out->errback_error[0] == 0, "%s %s", out->message, out->errback_error);

  out = fixture_run(&f, "bad_args", "{\"k\": 1}");
  CHECK(out->outcome == JR_RUN_CANCELLED && strcmp(out->args, "{\"k\": 1}") == 0, "%d %s", out->outcome, out->args);
  CHECK(strcmp(out->message, "args.f: a function cannot be stored as JSON") == 0, "%s", out->message);
  CHECK(f.said[0] == 0, "%s", f.said);

  out = fixture_run(&f, "bad_errback_args", "{\"k\": 1}");
  CHECK(out->outcome == JR_RUN_FAILED_CANCELLED && strcmp(out->args, "{\"k\": 1}") == 0, "%s", out->args);
  CHECK(strcmp(out->errback_error, "\"args.f: a function cannot be stored as JSON\"") == 0, "%s", out->errback_error);

  out = fixture_run(&f, "tostring", "{}");
  CHECK(out->outcome == JR_RUN_FAILED && strcmp(out->args, "{\"kept\":1}") == 0, "%d %s", out->outcome, out->args);

  // The mark ends with its run.
  out = fixture_run(&f, "next", "{}");
  CHECK(out->outcome == JR_RUN_SUCCEEDED && strcmp(out->args, "{\"ran\":1}") == 0, "%d %s", out->outcome, out->args);
  fixture_close(&f);
}

void test_cancelling(void) {
  check_script();
  check_errbacks();
}
