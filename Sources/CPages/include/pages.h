/// CPages: the pages of the documentation, embedded in the program.
#ifndef JOBREACTOR_CPAGES_H
#define JOBREACTOR_CPAGES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A page. All of it lives as long as the process.
struct jobreactor_page {
  /// What the page is called on the command line, such as "lua-guide".
  const char *_Nonnull name;
  /// Markdown in UTF-8, as it stands in the repository.
  const unsigned char *_Nonnull text;
  size_t length;
};

/// The page of that number, from 0 on, in the order in which to read them; NULL behind the last.
const struct jobreactor_page *_Nullable jobreactor_page(size_t index);

#ifdef __cplusplus
}
#endif

#endif
