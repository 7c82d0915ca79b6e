/// A growable run of bytes, charged to its state's memory limit and reused between calls.
///
/// Running out of memory does not raise here, since raising in the middle of an encoding would leave nothing to retry:
/// it marks the buffer as failed, later additions do nothing, and whoever filled it looks at `failed` once at the end.
#ifndef JOBREACTOR_BUFFER_H
#define JOBREACTOR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "CLuaShim.h"
#include "base/memory.h"

typedef struct {
  jri_memory *memory;
  char *bytes;
  size_t length;
  size_t capacity;
  bool failed;
} jri_buffer;

/// Makes room for `extra` more bytes.
bool jri_buffer_grow(jri_buffer *buffer, size_t extra);

/// Forgets the content. A buffer that one huge job has blown up gives its memory back.
void jri_buffer_reset(jri_buffer *buffer);

void jri_buffer_free(jri_buffer *buffer);

static inline bool jri_buffer_reserve(jri_buffer *buffer, size_t extra) {
  return buffer->capacity - buffer->length >= extra ? !buffer->failed : jri_buffer_grow(buffer, extra);
}

static inline void jri_buffer_add_byte(jri_buffer *buffer, char byte) {
  if (jri_buffer_reserve(buffer, 1)) buffer->bytes[buffer->length++] = byte;
}

static inline void jri_buffer_add(jri_buffer *buffer, const char *bytes, size_t length) {
  if (length == 0 || !jri_buffer_reserve(buffer, length)) return;
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

/// Adds text, with U+FFFD in place of each byte that is not UTF-8.
void jri_buffer_add_text(jri_buffer *buffer, const char *bytes, size_t length);

/// Adds a JSON string. Returns false, with the content undefined, when `bytes` is not UTF-8.
bool jri_buffer_add_json_string(jri_buffer *buffer, const char *bytes, size_t length);

/// Adds a JSON string, with U+FFFD in place of each byte that is not UTF-8.
void jri_buffer_add_json_text(jri_buffer *buffer, const char *bytes, size_t length);

static inline jr_bytes jri_buffer_bytes(const jri_buffer *buffer) {
  return (jr_bytes){.bytes = buffer->bytes, .length = buffer->length};
}

#endif
