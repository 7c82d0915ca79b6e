/// Strings of JSON, with their escapes.
#ifndef JOBREACTOR_JSON_STRING_H
#define JOBREACTOR_JSON_STRING_H

#include "json/decoder.h"

/// Pushes the string whose opening quote is next.
void jri_json_push_string(jri_decoder *d);

#endif
