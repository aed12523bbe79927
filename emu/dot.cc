#include "emu/dot.h"

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/e8m0.h"

namespace mxref {
namespace {

using binary32::uint128;

// A finite real number as sign and magnitude.
struct Real {
  bool negative;
  uint128 magnitude;
  int exponent;  // value = ±magnitude · 2^exponent
};

Real real_of(uint32_t bits) {
  const binary32::Parts p = binary32::parts(bits);
  return {binary32::is_negative(bits), p.significand, p.exponent};
}

// RNE32(a + b); an exact zero is +0. Each magnitude is below 2^96.
uint32_t round_sum_rne(Real a, Real b) {
  if (a.magnitude == 0 && b.magnitude == 0) return 0;
  if (a.magnitude == 0) return binary32::round_rne(b.negative, b.magnitude, b.exponent);
  if (b.magnitude == 0) return binary32::round_rne(a.negative, a.magnitude, a.exponent);

  // Both get their highest bit at position 125; then the smaller one moves right to the larger
  // one's exponent. What falls off the end is less than one unit of position 0: it is kept as a
  // sticky bit. Bits fall off only where the exponents differ by more than 29, and then at most one
  // bit cancels.
  const auto normalise = [](Real& r) {
    const int shift = 126 - binary32::bit_width(r.magnitude);
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
  return binary32::round_rne(a.negative, magnitude, a.exponent, sticky);
}

uint32_t fused_step(uint32_t acc, const BlockSum& sum, int scale_log2) {
  if (binary32::is_inf(acc)) return acc;
  // CHOICE: -0 stays -0 where the block has no nonzero product; every other exact zero is +0.
  if (!sum.has_nonzero_product) return acc;
  const bool negative = sum.units < 0;
  const uint128 magnitude = negative ? uint128(-sum.units) : uint128(sum.units);
  return round_sum_rne(real_of(acc), {negative, magnitude, sum.unit_log2 + scale_log2});
}

}  // namespace

BlockSum block_sum(const ElementFormat& format_a, std::span<const uint8_t> a,
                   const ElementFormat& format_b, std::span<const uint8_t> b) {
  BlockSum sum;
  sum.unit_log2 = format_a.unit_log2() + format_b.unit_log2();
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_nan(format_a, a[i]) || is_nan(format_b, b[i])) {
      sum.is_nan = true;
      continue;
    }
    const __int128 product = __int128(value_units(format_a, a[i])) * value_units(format_b, b[i]);
    sum.units += product;
    sum.has_nonzero_product |= product != 0;
  }
  return sum;
}

uint32_t accumulate_block(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                          uint8_t scale_a, uint8_t scale_b) {
  if (binary32::is_nan(acc) || sum.is_nan || e8m0::is_nan(scale_a) || e8m0::is_nan(scale_b))
    return binary32::canonical_nan;
  const int scale_log2 = e8m0::log2(scale_a) + e8m0::log2(scale_b);
  switch (datapath.kind) {
    case Accumulation::fused:
      return fused_step(acc, sum, scale_log2);
  }
  __builtin_unreachable();
}

}  // namespace mxref
