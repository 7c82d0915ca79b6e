#include "base/activity.h"

#include <string.h>

#define LOAD(field) atomic_load_explicit(&(field), memory_order_acquire)
#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_release)

// MARK: Calls

void jri_write_call(jri_call *call, const char *function, const char place[JR_PLACE_SIZE]) {
  uint32_t version = LOAD(call->version);
  uint64_t words[JRI_PLACE_WORDS];
  memcpy(words, place, sizeof words);
  STORE(call->version, version + 1);
  STORE(call->function, function);
  for (int i = 0; i < JRI_PLACE_WORDS; i++) STORE(call->place[i], words[i]);
  STORE(call->version, version + 2);
}

void jri_end_call(jri_call *call) {
  if (atomic_load_explicit(&call->function, memory_order_relaxed) == NULL) return;
  uint32_t version = LOAD(call->version);
  STORE(call->version, version + 1);
  STORE(call->function, NULL);
  STORE(call->version, version + 2);
}

bool jri_read_call(const jri_call *call, jr_activity *out) {
  uint64_t words[JRI_PLACE_WORDS];
  uint32_t version = LOAD(call->version);
  out->function = LOAD(call->function);
  for (int i = 0; i < JRI_PLACE_WORDS; i++) words[i] = LOAD(call->place[i]);
  memcpy(out->place, words, sizeof out->place);
  return version % 2 == 0 && LOAD(call->version) == version;
}

void jri_write_place(char place[JR_PLACE_SIZE], const lua_Debug *frame) {
  _Static_assert(LUA_IDSIZE + 1 + 10 < JR_PLACE_SIZE, "a name of a file and a line have room");
  size_t length = strlen(frame->short_src);
  char digits[10];
  int count = 0;
  memcpy(place, frame->short_src, length);
  place[length++] = ':';
  for (unsigned line = (unsigned)frame->currentline; line > 0; line /= 10) digits[count++] = (char)('0' + line % 10);
  while (count > 0) place[length++] = digits[--count];
  place[length] = 0;
}

// MARK: Sites

static void write_words(jri_site *site, const uint64_t words[JRI_SITE_WORDS]) {
  uint32_t version = LOAD(site->version);
  STORE(site->version, version + 1);
  for (int i = 0; i < JRI_SITE_WORDS; i++) STORE(site->words[i], words[i]);
  STORE(site->version, version + 2);
}

void jri_write_site(jri_site *site, const char text[JR_SITE_SIZE]) {
  uint64_t words[JRI_SITE_WORDS];
  memcpy(words, text, sizeof words);
  write_words(site, words);
}

void jri_forget_site(jri_site *site) {
  static const uint64_t none[JRI_SITE_WORDS] = {0};
  if (atomic_load_explicit(&site->words[0], memory_order_relaxed) != 0) write_words(site, none);
}

bool jri_read_site(const jri_site *site, char out[JR_SITE_SIZE]) {
  uint64_t words[JRI_SITE_WORDS];
  uint32_t version = LOAD(site->version);
  for (int i = 0; i < JRI_SITE_WORDS; i++) words[i] = LOAD(site->words[i]);
  memcpy(out, words, sizeof words);
  return version % 2 == 0 && LOAD(site->version) == version;
}
