#pragma once
// binary32 as bits: taking apart, and the one rounding RNE32 of ARITHMETIC.md.

#include <bit>
#include <cstdint>
#include <utility>

namespace mxref::binary32 {

using uint128 = unsigned __int128;

inline constexpr uint32_t canonical_nan = 0x7FC00000;
inline constexpr uint32_t infinity = 0x7F800000;
inline constexpr uint32_t sign_mask = 0x80000000;
inline constexpr int mantissa_bits = 23;
inline constexpr int emin = -126;
inline constexpr int emax = 127;
inline constexpr int unit_log2 =
    emin - mantissa_bits;  // every finite value is a multiple of 2^-149

constexpr bool is_nan(uint32_t bits) { return (bits & ~sign_mask) > infinity; }
constexpr bool is_inf(uint32_t bits) { return (bits & ~sign_mask) == infinity; }
constexpr bool is_finite(uint32_t bits) { return (bits & infinity) != infinity; }
constexpr bool is_subnormal(uint32_t bits) {
  return (bits & infinity) == 0 && (bits & ~sign_mask) != 0;
}
constexpr bool is_negative(uint32_t bits) { return bits & sign_mask; }

// |value| = significand · 2^exponent, significand < 2^24. Finite values only.
struct Parts {
  uint32_t significand;
  int exponent;
};
constexpr Parts parts(uint32_t bits) {
  const uint32_t biased = (bits & infinity) >> mantissa_bits;
  const uint32_t fraction = bits & ((1u << mantissa_bits) - 1);
  return biased == 0 ? Parts{fraction, unit_log2}
                     : Parts{fraction | (1u << mantissa_bits), unit_log2 + int(biased) - 1};
}

constexpr int bit_width(uint128 x) {
  const uint64_t high = uint64_t(x >> 64);
  return high ? 64 + std::bit_width(high) : std::bit_width(uint64_t(x));
}
// floor(log2) of a finite value that is not zero; subnormals are normalised first.
constexpr int floor_log2(uint32_t bits) {
  const Parts p = parts(bits);
  return std::bit_width(p.significand) - 1 + p.exponent;
}

// RNE32 of ±(magnitude + t) · 2^exponent, where 0 < t < 1 if `sticky` and t = 0 otherwise: to the
// nearest binary32, ties to even, gradual underflow, overflow to infinity. A sticky magnitude must
// have at least 26 bits, so that what t stands for lies below the rounding position.
constexpr uint32_t round_rne(bool negative, uint128 magnitude, int exponent, bool sticky = false) {
  const uint32_t sign = negative ? sign_mask : 0;
  if (magnitude == 0) return sign;
  const int top = bit_width(magnitude) - 1 + exponent;  // floor(log2) of the value
  if (top > emax) return sign | infinity;
  const int unit = (top > emin ? top : emin) - mantissa_bits;  // log2 of the result's last place
  const int shift = unit - exponent;                           // bits of the magnitude below it
  uint64_t quotient = 0;
  if (shift <= 0) {
    quotient = uint64_t(magnitude) << -shift;
  } else if (shift <= 127) {
    const uint128 half = uint128(1) << (shift - 1);
    const uint128 rest = magnitude & ((half << 1) - 1);
    quotient = uint64_t(magnitude >> shift);
    const bool above_half = rest > half || (rest == half && sticky);
    const bool tie = rest == half && !sticky;
    quotient += above_half || (tie && (quotient & 1));
  }  // else: below half of the least subnormal, quotient 0
  // The quotient holds the hidden bit, so that a carry out of the significand is a carry into the
  // exponent.
  const uint32_t biased_below = uint32_t(unit - unit_log2);
  const uint64_t bits = (uint64_t(biased_below) << mantissa_bits) + quotient;
  return sign | uint32_t(bits < infinity ? bits : infinity);
}

// ±magnitude · 2^exponent rounded toward zero, `fraction_bits` of at most mantissa_bits kept below
// the highest bit (fewer in a subnormal); gradual underflow, overflow to infinity.
constexpr uint32_t truncate(bool negative, uint128 magnitude, int exponent, int fraction_bits) {
  const uint32_t sign = negative ? sign_mask : 0;
  if (magnitude == 0) return sign;
  const int top = bit_width(magnitude) - 1 + exponent;
  const int unit = (top > emin ? top : emin) - fraction_bits;
  const int shift = unit - exponent;
  if (shift >= 128) return sign;
  if (shift > 0) magnitude = magnitude >> shift << shift;
  return round_rne(negative, magnitude, exponent);  // exact, or overflow
}

// A finite real number as sign and magnitude.
struct Real {
  bool negative;
  uint128 magnitude;
  int exponent;  // value = ±magnitude · 2^exponent
};
constexpr Real real(uint32_t bits) {
  const Parts p = parts(bits);
  return {is_negative(bits), p.significand, p.exponent};
}

// RNE32(a + b); an exact zero is +0. Each magnitude is below 2^96.
constexpr uint32_t round_sum_rne(Real a, Real b) {
  if (a.magnitude == 0 && b.magnitude == 0) return 0;
  if (a.magnitude == 0) return round_rne(b.negative, b.magnitude, b.exponent);
  if (b.magnitude == 0) return round_rne(a.negative, a.magnitude, a.exponent);

  // Both get their highest bit at position 125; then the smaller one moves right to the larger
  // one's exponent. What falls off the end is less than one unit of position 0: it is kept as a
  // sticky bit. Bits fall off only where the exponents differ by more than 29, and then at most one
  // bit cancels.
  const auto normalise = [](Real& r) {
    const int shift = 126 - bit_width(r.magnitude);
    r.magnitude <<= shift;
    r.exponent -= shift;
  };
  normalise(a);
  normalise(b);
  if (a.exponent < b.exponent || (a.exponent == b.exponent && a.magnitude < b.magnitude))
    std::swap(a, b);
  const int distance = a.exponent - b.exponent;
  const uint128 kept = distance < 128 ? b.magnitude >> distance : 0;
  const bool sticky = distance > 0 && (distance >= 128 || (kept << distance) != b.magnitude);

  uint128 magnitude = a.negative == b.negative ? a.magnitude + kept : a.magnitude - kept;
  if (magnitude == 0) return 0;
  if (sticky && a.negative != b.negative)
    magnitude -= 1;  // a - (kept + t) = (a - kept - 1) + (1 - t)
  return round_rne(a.negative, magnitude, a.exponent, sticky);
}

// IEEE's addition, in integers: no state of the machine can change it. A NaN is canonical.
constexpr uint32_t add_rne(uint32_t x, uint32_t y) {
  if (is_nan(x) || is_nan(y) || (is_inf(x) && is_inf(y) && x != y)) return canonical_nan;
  if (is_inf(x)) return x;
  if (is_inf(y)) return y;
  if (x == sign_mask && y == sign_mask) return sign_mask;  // -0 + -0; every other zero is +0
  return round_sum_rne(real(x), real(y));
}

// IEEE's fused multiply-add, RNE32(a·b + c), in integers. A NaN is canonical.
constexpr uint32_t fma_rne(uint32_t a, uint32_t b, uint32_t c) {
  const bool has_zero = (a & ~sign_mask) == 0 || (b & ~sign_mask) == 0;
  const uint32_t sign = (a ^ b) & sign_mask;
  if (is_nan(a) || is_nan(b) || is_nan(c)) return canonical_nan;
  if (is_inf(a) || is_inf(b)) return has_zero ? canonical_nan : add_rne(sign | infinity, c);
  if (is_inf(c)) return c;
  if (has_zero) return add_rne(sign, c);
  const Parts x = parts(a), y = parts(b);
  return round_sum_rne({sign != 0, uint128(x.significand) * y.significand, x.exponent + y.exponent},
                       real(c));
}

// RNE32 of ±numerator / denominator · 2^exponent. 0 < denominator < 2^34; numerator < 2^60, or
// below 2^126 where the denominator is 1.
constexpr uint32_t round_quotient_rne(bool negative, uint128 numerator, uint64_t denominator,
                                      int exponent) {
  if (denominator == 1) return round_rne(negative, numerator, exponent);
  constexpr int guard_bits = 64;  // the quotient of a nonzero numerator keeps at least 30 bits
  const uint128 dividend = numerator << guard_bits;
  return round_rne(negative, dividend / denominator, exponent - guard_bits,
                   dividend % denominator != 0);
}

// The binary32 of the same value; a NaN keeps its payload.
constexpr uint32_t from_binary16(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31, fraction = half & 1023;
  if (exponent == 31) return sign | infinity | fraction << 13;
  if (exponent > 0) return sign | (exponent + 112) << mantissa_bits | fraction << 13;
  return round_rne(sign != 0, fraction, -24);  // exact
}

// binary32 → a 16-bit format of `fraction_bits`, by RNE, a NaN as `nan`: bits of the same layout
// once the value is rounded to a multiple of its last place there, or of its least subnormal.
constexpr uint16_t to_16_bits_rne(uint32_t bits, int fraction_bits, int bias, uint16_t nan) {
  if (is_nan(bits)) return nan;
  const uint32_t sign = bits >> 31 << 15, magnitude = bits & ~sign_mask;
  const uint32_t infinity_16 = (1u << 15) - (1u << fraction_bits);
  if (is_inf(bits)) return uint16_t(sign | infinity_16);
  if (magnitude == 0) return uint16_t(sign);
  const Parts x = parts(bits);
  const int least = 1 - bias;  // exponent of the least normal number
  const int top = floor_log2(bits);
  const int unit = (top > least ? top : least) - fraction_bits;
  const int shift = unit - x.exponent;  // at least 0: no 16-bit format has more bits
  uint32_t quotient = 0;
  if (shift <= 25) {
    const uint32_t half = shift > 0 ? 1u << (shift - 1) : 0;
    const uint32_t rest = x.significand & ((1u << shift) - 1);
    quotient = x.significand >> shift;
    quotient += shift > 0 && (rest > half || (rest == half && (quotient & 1)));
  }
  const uint32_t code = (uint32_t(unit - (least - fraction_bits)) << fraction_bits) + quotient;
  return uint16_t(sign | (code < infinity_16 ? code : infinity_16));
}
constexpr uint16_t to_bfloat16_rne(uint32_t bits) { return to_16_bits_rne(bits, 7, 127, 0x7FC0); }
constexpr uint16_t to_binary16_rne(uint32_t bits) { return to_16_bits_rne(bits, 10, 15, 0x7E00); }

}  // namespace mxref::binary32
