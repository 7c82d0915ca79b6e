#include "base/setting_names.h"

static const jri_setting_names parameters = {"memoryLimit", "sliceLimit", "isSandboxed"};
static const jri_setting_names flags = {"--memory-limit", "--slice-limit", "--sandbox strict"};

const jri_setting_names *jri_setting_names_of(const jr_options *options) {
  return options->names_flags ? &flags : &parameters;
}
