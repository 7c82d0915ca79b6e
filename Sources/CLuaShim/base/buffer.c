#include "base/buffer.h"

#include <stdint.h>

#include "base/utf8.h"

enum { SMALLEST = 256, KEPT_AT_MOST = 256 * 1024 };

bool jri_buffer_grow(jri_buffer *buffer, size_t extra) {
  if (buffer->failed) return false;
  if (extra > SIZE_MAX / 2 - buffer->length) {
    buffer->failed = true;
    return false;
  }
  size_t needed = buffer->length + extra;
  size_t wanted = buffer->capacity < SMALLEST ? SMALLEST : buffer->capacity * 2;
  if (wanted < needed) wanted = needed;
  char *moved = jri_reallocate(buffer->memory, buffer->bytes, buffer->capacity, wanted);
  if (moved == NULL && wanted > needed) {
    // Near the limit: what is needed may fit where twice the room does not.
    wanted = needed;
    moved = jri_reallocate(buffer->memory, buffer->bytes, buffer->capacity, wanted);
  }
  if (moved == NULL) {
    buffer->failed = true;
    return false;
  }
  buffer->bytes = moved;
  buffer->capacity = wanted;
  return true;
}

void jri_buffer_reset(jri_buffer *buffer) {
  if (buffer->capacity > KEPT_AT_MOST) jri_buffer_free(buffer);
  buffer->length = 0;
  buffer->failed = false;
}

void jri_buffer_free(jri_buffer *buffer) {
  if (buffer->bytes != NULL) jri_reallocate(buffer->memory, buffer->bytes, buffer->capacity, 0);
  buffer->bytes = NULL;
  buffer->length = 0;
  buffer->capacity = 0;
}

static const char replacement[] = "\xEF\xBF\xBD";

void jri_buffer_add_text(jri_buffer *buffer, const char *bytes, size_t length) {
  const unsigned char *next = (const unsigned char *)bytes, *end = next + length;
  const unsigned char *begin = next;
  while (next < end) {
    size_t sequence = *next < 0x80 ? 1 : jri_utf8_sequence(next, end);
    if (sequence != 0) {
      next += sequence;
      continue;
    }
    jri_buffer_add(buffer, (const char *)begin, (size_t)(next - begin));
    jri_buffer_add(buffer, replacement, sizeof replacement - 1);
    begin = ++next;
  }
  jri_buffer_add(buffer, (const char *)begin, (size_t)(next - begin));
}

static void add_escape(jri_buffer *buffer, unsigned char byte) {
  static const char hexadecimal[] = "0123456789abcdef";
  char escape[6] = {'\\', 0, '0', '0', 0, 0};
  switch (byte) {
    case '"':
    case '\\': escape[1] = (char)byte; break;
    case '\b': escape[1] = 'b'; break;
    case '\f': escape[1] = 'f'; break;
    case '\n': escape[1] = 'n'; break;
    case '\r': escape[1] = 'r'; break;
    case '\t': escape[1] = 't'; break;
    default:
      escape[1] = 'u';
      escape[4] = hexadecimal[byte >> 4];
      escape[5] = hexadecimal[byte & 15];
      jri_buffer_add(buffer, escape, 6);
      return;
  }
  jri_buffer_add(buffer, escape, 2);
}

static bool add_json_string(jri_buffer *buffer, const char *bytes, size_t length, bool repair) {
  const unsigned char *next = (const unsigned char *)bytes, *end = next + length;
  // Room for the whole string when nothing needs an escape, with its quotes and what follows it.
  if (length > SIZE_MAX / 4 || !jri_buffer_reserve(buffer, length + 3)) {
    buffer->failed = true;
    return true;
  }
  buffer->bytes[buffer->length++] = '"';
  for (;;) {
    const unsigned char *begin = next;
    next = jri_utf8_plain(next, end);
    while (next < end && *next >= 0x80) {
      size_t sequence = jri_utf8_sequence(next, end);
      if (sequence == 0) break;
      next = jri_utf8_plain(next + sequence, end);
    }
    jri_buffer_add(buffer, (const char *)begin, (size_t)(next - begin));
    if (next == end) break;
    if (*next < 0x80) {
      add_escape(buffer, *next);
    } else if (repair) {
      jri_buffer_add(buffer, replacement, sizeof replacement - 1);
    } else {
      return false;
    }
    next++;
  }
  jri_buffer_add_byte(buffer, '"');
  return true;
}

bool jri_buffer_add_json_string(jri_buffer *buffer, const char *bytes, size_t length) {
  return add_json_string(buffer, bytes, length, false);
}

void jri_buffer_add_json_text(jri_buffer *buffer, const char *bytes, size_t length) {
  add_json_string(buffer, bytes, length, true);
}
