#include <inttypes.h>
#include <math.h>
#include <stdint.h>

#include "check.h"

typedef struct {
  const char *input;
  const char *output;  // NULL: the same
} trip;

static const trip good[] = {
    {"null", NULL},
    {"true", NULL},
    {"false", NULL},
    {" \t\r\n1 ", "1"},
    {"[]", NULL},
    {"{}", NULL},
    {"[[],{},[{}]]", NULL},
    {"[ 1 , 2 ]", "[1,2]"},
    {"{\"a\":{\"b\":[null,{\"c\":[]}]}}", NULL},
    {"{ \"a\" : 1 }", "{\"a\":1}"},
    {"{\"\":0}", NULL},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
    {"{\"1\":1}", NULL},
    // Integers.
    {"0", NULL},
    {"-0", "0"},
    {"-1", NULL},
    {"9007199254740993", NULL},
    {"9223372036854775807", NULL},
    {"-9223372036854775808", NULL},
    {"9223372036854775808", "9.223372036854776e+18"},
    {"-9223372036854775809", "-9.223372036854776e+18"},
    {"18446744073709551616", "1.8446744073709552e+19"},
    {"99999999999999999999", "1e+20"},
    // Floats.
    {"1.0", NULL},
    {"-0.0", NULL},
    {"0.0", NULL},
    {"0.1", NULL},
    {"3.14", NULL},
    {"1e2", "100.0"},
    {"1E+2", "100.0"},
    {"1e-2", "0.01"},
    {"1e15", "1e+15"},
    {"999999999999999.0", NULL},
    {"1e300", "1e+300"},
    {"1e22", "1e+22"},
    {"1e23", "1e+23"},
    {"123456789012345678e4", "1.2345678901234568e+21"},
    {"0.30000000000000004", NULL},
    {"2.2250738585072014e-308", NULL},
    {"5e-324", "4.94065645841247e-324"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"1e-400", "0.0"},
    {"0e999999999999", "0.0"},
    {"0.00000000000000000000000000000000000000000000000001e50", "1.0"},
    {"100000000000000000000000000000000000000000000000000e-50", "1.0"},
    {"9007199254740993.0", "9007199254740992.0"},
    {"1.00000000000000000000000000000000000000000000000000000000000000000000001", "1.0"},
    // Strings.
    {"\"\"", NULL},
    {"\"abcdefghijklmnopqrstuvwxyz\"", NULL},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0000\\u001f\\u0020\\u007f\"", "\"\\u0000\\u001f \x7F\""},
    {"\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
    {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""},
    {"\"\\uFFFF\\uD7FF\\uE000\"", "\"\xEF\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\""},
    {"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", NULL},
    {"\"plain text, then \\u0041 and \xC3\xA9 and \\n and the rest of it\"",
     "\"plain text, then A and \xC3\xA9 and \\n and the rest of it\""},
    {"{\"k\\u0065y\":\"\\u0076\"}", "{\"key\":\"v\"}"},
};

typedef struct {
  const char *input;
  int byte;
  const char *expected;
} bad_trip;

static const bad_trip bad[] = {
    {"", 0, "expected a value"},
    {"  ", 2, "expected a value"},
    {"nul", 0, "expected a value"},
    {"nulL", 0, "expected a value"},
    {"nullx", 4, "expected nothing after the value"},
    {"True", 0, "expected a value"},
    {"NaN", 0, "expected a value"},
    {"Infinity", 0, "expected a value"},
    {"-Infinity", 1, "expected a digit"},
    {"'a'", 0, "expected a value"},
    {"1 2", 2, "expected nothing after the value"},
    {"[1,]", 3, "expected a value"},
    {"[,1]", 1, "expected a value"},
    {"[1 2]", 3, "expected ',' or ']' after the value"},
    {"[1", 2, "expected ',' or ']' after the value"},
    {"[", 1, "expected a value"},
    {"]", 0, "expected a value"},
    {"[1}", 2, "expected ',' or ']' after the value"},
    {"{", 1, "expected a key or '}'"},
    {"{1:2}", 1, "expected a key or '}'"},
    {"{a:2}", 1, "expected a key or '}'"},
    {"{\"a\"}", 4, "expected ':' after the key"},
    {"{\"arg1\":1,\"arg2\" \"x\"}", 17, "expected ':' after the key"},
    {"{\"a\":}", 5, "expected a value"},
    {"{\"a\":1,}", 7, "expected a key"},
    {"{\"a\":1 \"b\":2}", 7, "expected ',' or '}' after the value"},
    {"{\"a\":1", 6, "expected ',' or '}' after the value"},
    {"/* x */ 1", 0, "expected a value"},
    {"[1] // x", 4, "expected nothing after the value"},
    {"01", 0, "expected a number without leading zeros"},
    {"-01", 1, "expected a number without leading zeros"},
    {"-", 1, "expected a digit"},
    {"+1", 0, "expected a value"},
    {".5", 0, "expected a value"},
    {"1.", 2, "expected a digit after the decimal point"},
    {"1.e5", 2, "expected a digit after the decimal point"},
    {"1e", 2, "expected a digit in the exponent"},
    {"1e+", 3, "expected a digit in the exponent"},
    {"1,5", 1, "expected nothing after the value"},
    {"0x10", 1, "expected nothing after the value"},
    {"1e999", 0, "expected a number that a float can hold"},
    {"[-1e400]", 1, "expected a number that a float can hold"},
    {"\"abc", 4, "expected '\"' at the end of the string"},
    {"\"abc\\", 5, "expected '\"' at the end of the string"},
    {"\"abc\\\"", 6, "expected '\"' at the end of the string"},
    {"\"a\nb\"", 2, "expected no control character in a string"},
    {"\"a\x1F\"", 2, "expected no control character in a string"},
    {"\"\\x41\"", 1, "expected a valid escape"},
    {"\"\\u12\"", 1, "expected four hexadecimal digits after \\u"},
    {"\"\\u12G4\"", 1, "expected four hexadecimal digits after \\u"},
    {"\"\\ud800\"", 1, "expected a low surrogate after this one"},
    {"\"\\ud800x\"", 1, "expected a low surrogate after this one"},
    {"\"\\ud800\\n\"", 1, "expected a low surrogate after this one"},
    {"\"\\ud800\\u0041\"", 1, "expected a low surrogate after this one"},
    {"\"\\ud800\\u12\"", 7, "expected four hexadecimal digits after \\u"},
    {"\"\\udc00\"", 1, "expected no lone low surrogate"},
    {"\"\x80\"", 1, "expected valid UTF-8"},
    {"\"\xC0\xAF\"", 1, "expected valid UTF-8"},
    {"\"\xC1\xBF\"", 1, "expected valid UTF-8"},
    {"\"\xC3\"", 1, "expected valid UTF-8"},
    {"\"\xE0\x80\xAF\"", 1, "expected valid UTF-8"},
    {"\"\xE2\x82\"", 1, "expected valid UTF-8"},
    {"\"\xED\xA0\x80\"", 1, "expected valid UTF-8"},
    {"\"\xF0\x80\x80\xAF\"", 1, "expected valid UTF-8"},
    {"\"\xF4\x90\x80\x80\"", 1, "expected valid UTF-8"},
    {"\"\xF5\x80\x80\x80\"", 1, "expected valid UTF-8"},
    {"\"abcdefgh\xFFijk\"", 9, "expected valid UTF-8"},
    {"{\"\xFF\":1}", 2, "expected valid UTF-8"},
    {"\xEF\xBB\xBF{}", 0, "expected a value"},
};

static void check_tables(fixture *f) {
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    bool fine;
    const char *expected = good[i].output != NULL ? good[i].output : good[i].input;
    const char *output = fixture_round_trip(f, good[i].input, strlen(good[i].input), &fine);
    CHECK(fine && strcmp(output, expected) == 0, "%s became %s", good[i].input, output);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    bool fine;
    char expected[200];
    snprintf(expected, sizeof expected, "invalid JSON at byte %d: %s", bad[i].byte, bad[i].expected);
    const char *output = fixture_round_trip(f, bad[i].input, strlen(bad[i].input), &fine);
    CHECK(!fine && strcmp(output, expected) == 0, "%s gave %s, not %s", bad[i].input, output, expected);
  }
  bool fine;
  const char *output = fixture_round_trip(f, "1\0", 2, &fine);
  CHECK(!fine, "a NULL byte after the value gave %s", output);
  output = fixture_round_trip(f, "[1,2]", 3, &fine);
  CHECK(!fine, "bytes past the length were read: %s", output);
}

/// Every prefix of a document that is not the document is an error, and reads nothing past its end.
static void check_prefixes(fixture *f) {
  static const char whole[] =
      "{\"a\":[1,-2.5e10,true,false,null,\"x\\u00e9\\ud83d\\ude00\\n\xE2\x82\xAC\"],\"b\":{\"c\":[[],{}]}}";
  for (size_t length = 0; length < sizeof whole - 1; length++) {
    char *part = malloc(length + 1);  // of its own, so that a read past the end is seen
    memcpy(part, whole, length);
    char *exact = realloc(part, length > 0 ? length : 1);
    bool fine;
    const char *output = fixture_round_trip(f, exact, length, &fine);
    CHECK(!fine, "%zu bytes became %s", length, output);
    free(exact);
  }
}

static void check_depth(fixture *f) {
  for (int object = 0; object < 2; object++) {
    for (int depth = 127; depth <= 130; depth++) {
      char text[2000] = "";
      for (int i = 0; i < depth; i++) strcat(text, object ? "{\"a\":" : "[");
      if (object) strcat(text, "1");
      for (int i = 0; i < depth; i++) strcat(text, object ? "}" : "]");
      bool fine;
      const char *output = fixture_round_trip(f, text, strlen(text), &fine);
      if (depth <= 128) {
        CHECK(fine && strcmp(output, text) == 0, "depth %d: %s", depth, output);
      } else {
        CHECK(!fine && contains(output, "expected at most 128 levels of nesting"), "depth %d: %s", depth, output);
      }
    }
  }
  enum { DEEP = 1000000 };
  char *deep = malloc(DEEP);
  memset(deep, '[', DEEP);
  bool fine;
  fixture_round_trip(f, deep, DEEP, &fine);
  CHECK(!fine, "a million open brackets were taken");
  free(deep);
}

/// Tables of every size around the sizes at which they are built in another way.
static void check_sizes(fixture *f) {
  static char text[TEXT_CAPACITY];
  for (int count = 0; count <= 150; count++) {
    char *out = text;
    out += sprintf(out, "[");
    for (int i = 0; i < count; i++) out += sprintf(out, "%s%d", i > 0 ? "," : "", i);
    sprintf(out, "]");
    bool fine;
    const char *output = fixture_round_trip(f, text, strlen(text), &fine);
    CHECK(fine && strcmp(output, text) == 0, "%s became %s", text, output);
    out = text;
    out += sprintf(out, "{");
    for (int i = 0; i < count; i++) out += sprintf(out, "%s\"k%d\":[%d]", i > 0 ? "," : "", i, i);
    sprintf(out, "}");
    output = fixture_round_trip(f, text, strlen(text), &fine);
    CHECK(fine && same_members(output, text), "%s became %s", text, output);
    // The last of two equal keys, with any number of others between.
    out = text;
    out += sprintf(out, "{\"a\":1");
    for (int i = 0; i < count; i++) out += sprintf(out, ",\"b\":0");
    sprintf(out, ",\"a\":2}");
    output = fixture_round_trip(f, text, strlen(text), &fine);
    CHECK(fine && contains(output, "\"a\":2") && !contains(output, "\"a\":1"), "%s became %s", text, output);
  }
}

static uint64_t random_bits(void) {
  static uint64_t x = 88172645463325252u;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return x;
}

static void check_numbers(fixture *f) {
  int wrong = 0;
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = random_bits();
    double value, back;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    char text[64];
    sprintf(text, "%.17g", value);
    if (strpbrk(text, ".e") == NULL) strcat(text, ".0");
    bool fine;
    const char *output = fixture_round_trip(f, text, strlen(text), &fine);
    back = strtod(output, NULL);
    if (!fine || memcmp(&back, &value, sizeof value) != 0 || strpbrk(output, ".e") == NULL) {
      wrong++;
      CHECK(false, "%s became %s", text, output);
    }
    // Few digits and small exponents take the short way.
    double small = (double)(int64_t)(random_bits() >> 20) / pow(10, (double)(random_bits() % 20));
    sprintf(text, "%.15g", small);
    if (strpbrk(text, ".e") == NULL) strcat(text, ".0");
    double said = strtod(text, NULL);
    output = fixture_round_trip(f, text, strlen(text), &fine);
    back = strtod(output, NULL);
    if (!fine || back != said) {
      wrong++;
      CHECK(false, "%s became %s", text, output);
    }
    int64_t integer = (int64_t)(random_bits() >> (random_bits() % 64));
    if (i % 2 == 0) integer = -integer;
    sprintf(text, "%" PRId64, integer);
    output = fixture_round_trip(f, text, strlen(text), &fine);
    if (!fine || strcmp(text, output) != 0) {
      wrong++;
      CHECK(false, "%s became %s", text, output);
    }
  }
  CHECK(wrong == 0, "%d numbers changed", wrong);
}

static void check_code_points(fixture *f) {
  int wrong = 0;
  for (unsigned code = 0x20; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 61) {
    if ((code >= 0xD800 && code <= 0xDFFF) || code == '"' || code == '\\') continue;
    char raw[8], escaped[32];
    int length;
    if (code < 0x80) {
      length = sprintf(raw, "\"%c\"", (int)code);
    } else if (code < 0x800) {
      length = sprintf(raw, "\"%c%c\"", (int)(0xC0 | code >> 6), (int)(0x80 | (code & 63)));
    } else if (code < 0x10000) {
      length = sprintf(raw, "\"%c%c%c\"", (int)(0xE0 | code >> 12), (int)(0x80 | (code >> 6 & 63)),
                       (int)(0x80 | (code & 63)));
    } else {
      length = sprintf(raw, "\"%c%c%c%c\"", (int)(0xF0 | code >> 18), (int)(0x80 | (code >> 12 & 63)),
                       (int)(0x80 | (code >> 6 & 63)), (int)(0x80 | (code & 63)));
    }
    if (code < 0x10000) {
      sprintf(escaped, "\"\\u%04X\"", code);
    } else {
      sprintf(escaped, "\"\\u%04x\\u%04X\"", 0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF));
    }
    bool fine;
    if (strcmp(fixture_round_trip(f, raw, (size_t)length, &fine), raw) != 0 || !fine) wrong++;
    if (strcmp(fixture_round_trip(f, escaped, strlen(escaped), &fine), raw) != 0 || !fine) wrong++;
  }
  CHECK(wrong == 0, "%d code points changed", wrong);
}

static void check_long_string(fixture *f) {
  enum { LONG = 5000000 };
  char *text = malloc(LONG);
  memset(text, 'x', LONG);
  text[0] = text[LONG - 1] = '"';
  jr_bytes out;
  bool fine = jr_json_round_trip(f->state, text, LONG, &out);
  CHECK(fine && out.length == LONG && memcmp(out.bytes, text, LONG) == 0, "a long string changed");
  size_t large = jr_memory_used(f->state);
  jr_json_round_trip(f->state, "1", 1, &out);
  CHECK(jr_memory_used(f->state) + LONG <= large + 4096, "the buffer of a large value was kept: %zu bytes of %zu",
        jr_memory_used(f->state), large);
  free(text);
}

void test_json(void) {
  static fixture f;
  CHECK(fixture_open(&f, 0, NULL), "the state did not open");
  check_tables(&f);
  test_comma_locale = true;
  check_tables(&f);
  test_comma_locale = false;
  check_prefixes(&f);
  check_depth(&f);
  check_sizes(&f);
  check_numbers(&f);
  check_code_points(&f);
  check_long_string(&f);
  fixture_close(&f);
}
