#include "json/string.h"

#include "base/utf8.h"
#include "json/decoder.h"

/// Finds the quote that ends the string, checking all that the bytes themselves can tell.
static const char *end_of_string(jri_decoder *d, const char *from, bool *escaped) {
  const unsigned char *next = (const unsigned char *)from, *end = (const unsigned char *)d->end;
  for (;;) {
    next = jri_utf8_plain(next, end);
    if (next == end) jri_json_fail(d, d->end, "expected '\"' at the end of the string");
    if (*next == '"') return (const char *)next;
    if (*next == '\\') {
      *escaped = true;
      next += end - next > 1 ? 2 : 1;
    } else if (*next < 0x20) {
      jri_json_fail(d, (const char *)next, "expected no control character in a string");
    } else {
      size_t sequence = jri_utf8_sequence(next, end);
      if (sequence == 0) jri_json_fail(d, (const char *)next, "expected valid UTF-8");
      next += sequence;
    }
  }
}

/// The four digits after `\u`; `at` is the backslash.
static unsigned hexadecimal(jri_decoder *d, const char *at, const char *end) {
  unsigned value = 0;
  if (end - at < 6) jri_json_fail(d, at, "expected four hexadecimal digits after \\u");
  for (int i = 2; i < 6; i++) {
    char byte = at[i];
    unsigned digit;
    if (byte >= '0' && byte <= '9') {
      digit = (unsigned)(byte - '0');
    } else if (byte >= 'a' && byte <= 'f') {
      digit = (unsigned)(byte - 'a') + 10;
    } else if (byte >= 'A' && byte <= 'F') {
      digit = (unsigned)(byte - 'A') + 10;
    } else {
      jri_json_fail(d, at, "expected four hexadecimal digits after \\u");
    }
    value = value << 4 | digit;
  }
  return value;
}

static char *add_code_point(char *out, unsigned code) {
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xC0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = (char)(0xE0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    *out++ = (char)(0x80 | (code & 0x3F));
  } else {
    *out++ = (char)(0xF0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3F));
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    *out++ = (char)(0x80 | (code & 0x3F));
  }
  return out;
}

/// Resolves the escape at `*next`, which is a backslash, and moves behind it.
static char *resolve_escape(jri_decoder *d, const char **next, const char *end, char *out) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *at = *next, *name = memchr(names, at[1], sizeof names - 1);
  if (name != NULL) {
    *next = at + 2;
    *out++ = values[name - names];
    return out;
  }
  if (at[1] != 'u') jri_json_fail(d, at, "expected a valid escape");
  unsigned code = hexadecimal(d, at, end);
  *next = at + 6;
  if (code >= 0xDC00 && code <= 0xDFFF) jri_json_fail(d, at, "expected no lone low surrogate");
  if (code >= 0xD800 && code <= 0xDBFF) {
    const char *second = at + 6;
    bool escaped = end - second >= 2 && second[0] == '\\' && second[1] == 'u';
    unsigned low = escaped ? hexadecimal(d, second, end) : 0;
    if (low < 0xDC00 || low > 0xDFFF) jri_json_fail(d, at, "expected a low surrogate after this one");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    *next = second + 6;
  }
  return add_code_point(out, code);
}

static void push_escaped(jri_decoder *d, const char *begin, const char *end) {
  // An escape is never shorter than what it stands for.
  char *text = jri_scratch(d->L, (size_t)(end - begin)), *out = text;
  for (const char *next = begin; next < end;) {
    const char *backslash = memchr(next, '\\', (size_t)(end - next));
    size_t clean = (size_t)((backslash != NULL ? backslash : end) - next);
    memcpy(out, next, clean);
    out += clean;
    next += clean;
    if (backslash != NULL) out = resolve_escape(d, &next, end, out);
  }
  lua_pushlstring(d->L, text, (size_t)(out - text));
}

void jri_json_push_string(jri_decoder *d) {
  const char *begin = d->next + 1;
  bool escaped = false;
  const char *end = end_of_string(d, begin, &escaped);
  if (escaped) {
    push_escaped(d, begin, end);
  } else {
    lua_pushlstring(d->L, begin, (size_t)(end - begin));
  }
  d->next = end + 1;
}
