#include "scripts/distance.h"

#include <string.h>

enum { LONGEST = 255, FAR = JRI_NEAR + 1 };

static int smaller(int a, int b) { return a < b ? a : b; }

int jri_distance(const char *a, const char *b) {
  size_t a_length = strlen(a), b_length = strlen(b);
  if (a_length > LONGEST || b_length > LONGEST) return FAR;
  if (a_length > b_length + JRI_NEAR || b_length > a_length + JRI_NEAR) return FAR;
  int row[LONGEST + 1];
  for (size_t j = 0; j <= b_length; j++) row[j] = (int)j;
  for (size_t i = 1; i <= a_length; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= b_length; j++) {
      int above = row[j];
      int replaced = diagonal + (a[i - 1] != b[j - 1]);
      row[j] = smaller(replaced, smaller(above, row[j - 1]) + 1);
      diagonal = above;
    }
  }
  return row[b_length];
}
