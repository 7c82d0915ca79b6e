#include "json/decoder.h"

#include <stdlib.h>

_Noreturn void jri_json_fail(jri_decoder *d, const char *at, const char *expected) {
  if (d->invalid != NULL) *d->invalid = true;
  luaL_error(d->L, "%s%sinvalid JSON at byte %I: %s", d->what, *d->what != 0 ? ": " : "", (LUAI_UACINT)(at - d->begin),
             expected);
  abort();
}
