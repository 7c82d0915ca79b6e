/// How errors name the settings of a state.
#ifndef JOBREACTOR_SETTING_NAMES_H
#define JOBREACTOR_SETTING_NAMES_H

#include "CLuaShim.h"

typedef struct {
  const char *memory_limit;
  const char *slice_limit;
  const char *strict;
} jri_setting_names;

const jri_setting_names *jri_setting_names_of(const jr_options *options);

#endif
