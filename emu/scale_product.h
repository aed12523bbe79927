#pragma once
// The scales of a block pair, and what they make of its sum.

#include <cstdint>

#include "emu/binary32.h"
#include "emu/dot.h"

namespace mxref {

// x = scale_a · scale_b, exact.
struct ScaleProduct {
  bool is_nan = false;
  uint64_t significand = 0;
  int exponent = 0;
};
constexpr ScaleProduct scale_product(const ScaleFormat& format_a, uint8_t a,
                                     const ScaleFormat& format_b, uint8_t b) {
  if (format_a.is_nan(a) || format_b.is_nan(b)) return {.is_nan = true};
  const auto x = format_a.parts(a), y = format_b.parts(b);
  return {false, uint64_t(x.significand) * y.significand, x.exponent + y.exponent};
}

// x·S, finite.
constexpr binary32::Real term_of(const BlockSum& sum, const ScaleProduct& x) {
  const bool negative = sum.units < 0;
  return {negative, binary32::uint128(negative ? -sum.units : sum.units) * x.significand,
          sum.unit_log2 + x.exponent};
}

constexpr uint32_t infinity_of(int sign) {
  return binary32::infinity | (sign < 0 ? binary32::sign_mask : 0);
}

}  // namespace mxref
