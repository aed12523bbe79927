#pragma once
// Exact real numbers, for a second construction of the arithmetic (ARITHMETIC.md): nothing is
// shifted into place here. A number is a whole multiple of 2^-640, values come from the printed
// formulas, and a result is found by a search over all codes or all binary32 numbers. Shares no
// code with emu but the rows of its tables.

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>

#include "emu/formats.h"

namespace mxref::oracle {

// In units of 2^-640; below 2^1400 even where it is squared or meets a denominator.
using Real = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<
    2048, 2048, boost::multiprecision::signed_magnitude, boost::multiprecision::unchecked, void>>;
inline constexpr int real_unit_log2 = -640;

// significand · 2^exponent, exponent at least -640.
inline Real real(int64_t significand, int exponent) {
  return Real(significand) << unsigned(exponent - real_unit_log2);
}

// A number of a format: finite with a sign even where it is zero, ±Inf, or NaN.
struct Number {
  enum Kind { finite, infinite, nan } kind = finite;
  bool negative = false;
  int64_t significand = 0;  // of the magnitude, which is significand · 2^exponent
  int exponent = 0;

  bool is_zero() const { return kind == finite && significand == 0; }
  Real value() const { return real(negative ? -significand : significand, exponent); }
};

// E and M of a magnitude code → its value, as §1 prints it: 2^(E - bias) · 1.M, or 2^(1 - bias) ·
// 0.M where E = 0.
inline Number value_of_fields(int E, int M, int mantissa_bits, int bias) {
  if (E == 0) return {Number::finite, false, M, 1 - bias - mantissa_bits};
  return {Number::finite, false, (int64_t(1) << mantissa_bits) + M, E - bias - mantissa_bits};
}

inline Number element(const ElementFormat& f, uint32_t code) {
  if (f.sign == Sign::twos_complement) {  // of bits 2 + m, value = code / 2^m: int8 is code / 64
    const int modulus = 4 << f.mantissa_bits;
    const int value = int(code) < modulus / 2 ? int(code) : int(code) - modulus;
    return {Number::finite, value < 0, std::abs(value), -f.mantissa_bits};
  }
  const int E = int(code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
  const int M = int(code) & ((1 << f.mantissa_bits) - 1);
  Number v = value_of_fields(E, M, f.mantissa_bits, f.bias);
  v.negative = (code >> (f.exponent_bits + f.mantissa_bits)) & 1;
  const bool last_E = E + 1 == 1 << f.exponent_bits, last_M = M + 1 == 1 << f.mantissa_bits;
  if (f.specials == Specials::nan_all_ones && last_E && last_M) v.kind = Number::nan;
  if (f.specials == Specials::inf_and_nan && last_E)
    v.kind = M == 0 ? Number::infinite : Number::nan;
  return v;
}

inline Number scale(const ScaleFormat& f, uint8_t code) {
  if (f.name == "e8m0")
    return {code == 0xFF ? Number::nan : Number::finite, false, 1, int(code) - 127};
  return element(e4m3, code & 0x7F);
}

inline Number binary32_number(uint32_t bits) {
  const int E = int(bits >> 23) & 255, M = int(bits & 0x7FFFFF);
  Number v = value_of_fields(E, M, 23, 127);
  v.negative = bits >> 31;
  if (E == 255) v.kind = M == 0 ? Number::infinite : Number::nan;
  return v;
}

// x · y; NaN of a NaN and of Inf · 0.
inline Number product(const Number& x, const Number& y) {
  Number p{Number::finite, x.negative != y.negative, x.significand * y.significand,
           x.exponent + y.exponent};
  if (x.kind == Number::nan || y.kind == Number::nan) p.kind = Number::nan;
  if (x.kind == Number::infinite || y.kind == Number::infinite)
    p.kind = x.kind == Number::nan || y.kind == Number::nan || x.is_zero() || y.is_zero()
                 ? Number::nan
                 : Number::infinite;
  return p;
}

// floor(log2) of a finite number that is not zero.
inline int floor_log2(const Number& v) {
  return std::ilogb(std::ldexp(double(v.significand), v.exponent));
}

// The largest n of 0 … last with is_within(n), which holds for 0 and for all below one that it
// holds for.
template <typename Within>
uint32_t largest(uint32_t last, Within is_within) {
  uint32_t within = 0, end = last + 1;
  while (end - within > 1) {
    const uint32_t middle = within + (end - within) / 2;
    (is_within(middle) ? within : end) = middle;
  }
  return within;
}

// The number whose code follows the largest finite one would be 2^128: what lies halfway to it or
// above goes to infinity, whose code that is.
inline Real magnitude_of_binary32(uint32_t code) {
  return value_of_fields(int(code >> 23), int(code & 0x7FFFFF), 23, 127).value();
}
inline constexpr uint32_t infinity32 = 0x7F800000;
inline constexpr uint32_t minus_zero32 = 0x80000000;

// RNE32(x / denominator), denominator > 0: the nearest of all binary32 numbers, of two the even
// code.
inline uint32_t nearest32(const Real& x, const Real& denominator = 1) {
  const uint32_t sign = x < 0 ? minus_zero32 : 0;
  const Real magnitude = abs(x);
  const uint32_t low = largest(infinity32, [&](uint32_t code) {
    return magnitude_of_binary32(code) * denominator <= magnitude;
  });
  if (low == infinity32) return sign | infinity32;
  const Real twice = 2 * magnitude;
  const Real sum = (magnitude_of_binary32(low) + magnitude_of_binary32(low + 1)) * denominator;
  const bool up = twice > sum || (twice == sum && low % 2 == 1);
  return sign | (low + up);
}

// The last binary32 number toward zero with `fraction_bits` of its 23.
inline uint32_t toward_zero32(const Real& x, int fraction_bits) {
  const unsigned dropped = unsigned(23 - fraction_bits);
  const Real magnitude = abs(x);
  const uint32_t steps = largest(infinity32 >> dropped, [&](uint32_t n) {
    return magnitude_of_binary32(n << dropped) <= magnitude;
  });
  return (x < 0 ? minus_zero32 : 0) | steps << dropped;
}

}  // namespace mxref::oracle
