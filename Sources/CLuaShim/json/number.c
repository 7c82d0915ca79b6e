#include "json/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { EXACT_POWER = 22, LARGEST_EXPONENT = 100000 };

static bool is_digit(const char *next, const char *end) { return next < end && *next >= '0' && *next <= '9'; }

/// The process's locale decides how `strtod` and `snprintf` write the decimal point; JSON does not care. Asked through
/// `snprintf`, since `localeconv` is not safe with several threads.
static size_t decimal_point(char *point, size_t capacity) {
  char sample[32];
  int length = snprintf(sample, sizeof sample, "%.1f", 0.5);
  size_t found = length > 2 ? (size_t)length - 2 : 0;
  if (found == 0 || found > capacity) {
    point[0] = '.';
    return 1;
  }
  memcpy(point, sample + 1, found);
  return found;
}

static double read_float(lua_State *L, const char *begin, const char *end) {
  char point[16];
  size_t point_length = decimal_point(point, sizeof point);
  char *text = jri_scratch(L, (size_t)(end - begin) + point_length + 1), *out = text;
  for (const char *next = begin; next < end; next++) {
    if (*next == '.') {
      memcpy(out, point, point_length);
      out += point_length;
    } else {
      *out++ = *next;
    }
  }
  *out = 0;
  return strtod(text, NULL);
}

typedef struct {
  uint64_t mantissa;
  int digits;  // significant ones; past 19 the mantissa is not whole
} mantissa;

static const char *read_digits(mantissa *value, const char *next, const char *end) {
  for (; is_digit(next, end); next++) {
    if (value->digits > 0 || *next != '0') value->digits++;
    if (value->digits <= 19) value->mantissa = value->mantissa * 10 + (uint64_t)(*next - '0');
  }
  return next;
}

static bool fits_integer(const mantissa *value, bool negative) {
  return value->digits <= 19 && value->mantissa <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
}

const char *jri_json_push_number(lua_State *L, const char **position, const char *end) {
  const char *begin = *position, *next = begin;
  bool negative = *next == '-', integer = true;
  if (negative) next++;
  *position = next;
  if (!is_digit(next, end)) return "expected a digit";
  if (*next == '0' && is_digit(next + 1, end)) return "expected a number without leading zeros";
  mantissa value = {0, 0};
  next = read_digits(&value, next, end);
  int exponent = 0;
  if (next < end && *next == '.') {
    integer = false;
    *position = ++next;
    if (!is_digit(next, end)) return "expected a digit after the decimal point";
    const char *fraction = next;
    next = read_digits(&value, next, end);
    exponent = next - fraction < LARGEST_EXPONENT ? -(int)(next - fraction) : -LARGEST_EXPONENT;
  }
  if (next < end && (*next == 'e' || *next == 'E')) {
    integer = false;
    next++;
    bool down = next < end && *next == '-';
    if (next < end && (*next == '-' || *next == '+')) next++;
    *position = next;
    if (!is_digit(next, end)) return "expected a digit in the exponent";
    int power = 0;
    for (; is_digit(next, end); next++) {
      if (power < LARGEST_EXPONENT) power = power * 10 + (*next - '0');
    }
    exponent += down ? -power : power;
  }
  if (integer && fits_integer(&value, negative)) {
    lua_pushinteger(L, (lua_Integer)(negative ? 0 - value.mantissa : value.mantissa));
    *position = next;
    return NULL;
  }
  double result;
  if (value.digits <= 19 && value.mantissa < (UINT64_C(1) << 53) && abs(exponent) <= EXACT_POWER) {
    // Both operands are exact, so the one rounding of the operation is the right one.
    result = (double)value.mantissa;
    result = exponent < 0 ? result / powers_of_ten[-exponent] : result * powers_of_ten[exponent];
    if (negative) result = -result;
  } else {
    result = read_float(L, begin, next);
  }
  if (isinf(result)) {
    *position = begin;
    return "expected a number that a float can hold";
  }
  lua_pushnumber(L, result);
  *position = next;
  return NULL;
}

static char *write_digits(char *end, uint64_t value) {
  static const char pairs[] =
      "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
      "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
  while (value >= 100) {
    end -= 2;
    memcpy(end, pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, pairs + value * 2, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

void jri_json_add_integer(jri_buffer *out, lua_Integer value) {
  char text[24], *end = text + sizeof text;
  char *begin = write_digits(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
  if (value < 0) *--begin = '-';
  jri_buffer_add(out, begin, (size_t)(end - begin));
}

/// Adds what `snprintf` wrote with the locale's decimal point, whatever its length, as JSON.
static void add_formatted(jri_buffer *out, const char *text) {
  bool is_float = false, in_point = false;
  for (; *text != 0; text++) {
    bool known = (*text >= '0' && *text <= '9') || *text == '-' || *text == '+' || *text == 'e';
    if (known) {
      jri_buffer_add_byte(out, *text);
      is_float = is_float || *text == 'e';
    } else if (!in_point) {
      jri_buffer_add_byte(out, '.');
      is_float = true;
    }
    in_point = !known;
  }
  if (!is_float) jri_buffer_add(out, ".0", 2);
}

void jri_json_add_float(jri_buffer *out, lua_Number value) {
  if (fabs(value) < 1e15 && value == floor(value)) {
    char text[24], *end = text + sizeof text - 2;
    memcpy(end, ".0", 2);
    char *begin = write_digits(end, (uint64_t)fabs(value));
    if (signbit(value)) *--begin = '-';
    jri_buffer_add(out, begin, (size_t)(end + 2 - begin));
    return;
  }
  char text[64];
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(text, sizeof text, "%.*g", precision, value);
    if (strtod(text, NULL) == value) break;
  }
  add_formatted(out, text);
}
