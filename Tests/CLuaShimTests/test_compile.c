// Scripts that are looked at, not run.
#include <limits.h>

#include "check.h"

typedef struct {
  char names[TEXT_CAPACITY];
} names;

static void add_name(void *context, const char *name, size_t length) {
  names *n = context;
  size_t used = strlen(n->names);
  snprintf(n->names + used, sizeof n->names - used, " %.*s ", (int)length, name);
}

static bool compile(fixture *f, const char *source, jr_bytes *out) {
  return jr_compile(f->state, "jobs/t.lua", source, strlen(source), out);
}

static void compiles(void) {
  static const char source[] = "\xEF\xBB\xBF#!/usr/bin/lua\nran = true print(ran)";
  fixture f;
  jr_bytes chunk;
  CHECK(fixture_open(&f, 0, NULL), "no state");
  CHECK(compile(&f, source, &chunk), "%.*s", (int)chunk.length, chunk.bytes);
  CHECK(chunk.length > 40 && memcmp(chunk.bytes, "\x1BLua\x54", 5) == 0, "%zu bytes", chunk.length);
  CHECK(f.said[0] == 0, "it ran: %s", f.said);
  CHECK(!compile(&f, "\nx x", &chunk), "compiled");
  CHECK(strncmp(chunk.bytes, "jobs/t.lua:2: syntax error", 26) == 0, "%.*s", (int)chunk.length, chunk.bytes);
  CHECK(!compile(&f, "\x1BLua", &chunk), "compiled");
  CHECK(compile(&f, "", &chunk), "%.*s", (int)chunk.length, chunk.bytes);
  fixture_close(&f);
}

static void lists_globals(void) {
  static names n;
  fixture f;
  bool open = true;
  fixture_start(&f, "mine = 1 _G[5] = 'no name' gone = 1 gone = nil");
  n.names[0] = 0;
  CHECK(jr_list_globals(f.state, &n, add_name, &open), "no memory");
  CHECK(!open, "open");
  CHECK(contains(n.names, " mine ") && contains(n.names, " print ") && contains(n.names, " job "), "%s", n.names);
  CHECK(!contains(n.names, " gone ") && !contains(n.names, " 5 "), "%s", n.names);
  fixture_close(&f);
  fixture_start(&f, "setmetatable(_G, { __index = function(_, name) return name end })");
  CHECK(jr_list_globals(f.state, &n, add_name, &open) && open, "not open");
  fixture_close(&f);
}

/// Every allocation fails once: the answer is a chunk or a message, never half of one.
static void survives_faults(void) {
  static const char source[] =
      "local t = { 'a', 'b', 1.5 } function f(...) local n = ... return function() return t, n end end";
  long failed = 1;
  for (long first = 1; failed > 0; first++) {
    fixture f;
    jr_bytes chunk;
    CHECK(fixture_open(&f, 0, NULL), "no state");
    test_fail_allocations(first, LONG_MAX);
    bool good = compile(&f, source, &chunk);
    failed = test_failed_allocations();
    test_fail_allocations(LONG_MAX, 0);
    CHECK(good || strncmp(chunk.bytes, "not enough memory", 17) == 0, "%.*s", (int)chunk.length, chunk.bytes);
    CHECK(good || failed > 0, "failed without a reason");
    fixture_close(&f);
  }
}

void test_compile(void) {
  compiles();
  lists_globals();
  survives_faults();
}
