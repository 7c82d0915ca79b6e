#include "check.h"

void test_environment(void) {
  static fixture f;
  char modules[4096];
  const char *folder = getenv("TEST_FOLDER");
  snprintf(modules, sizeof modules, "%s/scripts/modules", folder != NULL ? folder : ".");
  char *source = read_test_file("scripts/environment.lua");
  CHECK(fixture_open(&f, 0, modules), "the state did not open");
  const char *error = fixture_load(&f, "scripts/environment.lua", source);
  CHECK(error == NULL, "%s", error);
  free(source);
  CHECK(fixture_join(&f) && f.problems[0] == 0, "%s", f.problems);
  static char jobs[TEXT_CAPACITY];
  memcpy(jobs, f.jobs, sizeof jobs);
  int count = 0;
  for (char *line = strtok(jobs, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char name[300];
    sscanf(line, "%299s", name);
    const outcome *out = fixture_run(&f, name, "{}");
    CHECK(out->outcome == JR_RUN_SUCCEEDED, "%s: %s\n%s", name, out->message, out->traceback);
    count++;
  }
  CHECK(count > 10, "only %d jobs", count);
  fixture_close(&f);

  // Modules may define jobs; their place is the module's.
  CHECK(fixture_open(&f, 0, modules), "the state did not open");
  CHECK(fixture_load(&f, "a.lua", "package.preload.m = load([[\n\njob('in_module', print)]], '@m.lua') require 'm'") ==
            NULL,
        "a module's job");
  CHECK(fixture_join(&f) && contains(f.jobs, "in_module m.lua:2 "), "%s", f.jobs);
  fixture_close(&f);
}
