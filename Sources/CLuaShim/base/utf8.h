/// Strict UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF.
#ifndef JOBREACTOR_UTF8_H
#define JOBREACTOR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool jri_utf8_continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// Length of the sequence at `next`, which is before `end`; 0 when it is not UTF-8.
static inline size_t jri_utf8_sequence(const unsigned char *next, const unsigned char *end) {
  size_t left = (size_t)(end - next);
  unsigned char lead = next[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || left < 2 || !jri_utf8_continues(next[1])) return 0;
  if (lead < 0xE0) return 2;
  if (left < 3 || !jri_utf8_continues(next[2])) return 0;
  if (lead < 0xF0) {
    bool overlong = lead == 0xE0 && next[1] < 0xA0;
    bool surrogate = lead == 0xED && next[1] >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (left < 4 || !jri_utf8_continues(next[3])) return 0;
  bool overlong = lead == 0xF0 && next[1] < 0x90;
  bool beyond = lead == 0xF4 && next[1] >= 0x90;
  return overlong || beyond ? 0 : 4;
}

static inline bool jri_utf8_valid(const char *bytes, size_t length) {
  const unsigned char *next = (const unsigned char *)bytes, *end = next + length;
  while (next < end) {
    size_t sequence = jri_utf8_sequence(next, end);
    if (sequence == 0) return false;
    next += sequence;
  }
  return true;
}

/// An ASCII byte that stands for itself inside a JSON string.
static inline bool jri_utf8_is_plain(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/// The first byte at or after `next` that is not plain. Eight bytes at a time: long strings are most of a large job.
static inline const unsigned char *jri_utf8_plain(const unsigned char *next, const unsigned char *end) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
  while (end - next >= 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    uint64_t quotes = word ^ (ones * '"'), backslashes = word ^ (ones * '\\');
    // The usual test for a zero byte, and for a byte below 0x20: false positives lie above a true one only, and any
    // positive ends the run of whole words.
    uint64_t found = ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes) | (word - ones * 0x20) | word;
    if ((found & tops) != 0) break;
    next += 8;
  }
  while (next < end && jri_utf8_is_plain(*next)) next++;
  return next;
}

#endif
