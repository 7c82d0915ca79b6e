/// How far apart two names are, to say "did you mean".
#ifndef JOBREACTOR_DISTANCE_H
#define JOBREACTOR_DISTANCE_H

enum { JRI_NEAR = 2 };

/// The edit distance when it is at most `JRI_NEAR`; otherwise some larger number. The names have at most 255 bytes.
int jri_distance(const char *a, const char *b);

#endif
