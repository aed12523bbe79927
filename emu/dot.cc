#include "emu/dot.h"

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/e8m0.h"

namespace mxref {
namespace {

uint32_t fused_step(uint32_t acc, const BlockSum& sum, int scale_log2) {
  if (binary32::is_inf(acc)) return acc;
  // CHOICE: -0 stays -0 where the block has no nonzero product; every other exact zero is +0.
  if (!sum.has_nonzero_product) return acc;
  const bool negative = sum.units < 0;
  const auto magnitude = binary32::uint128(negative ? -sum.units : sum.units);
  return binary32::round_sum_rne(binary32::real(acc),
                                 {negative, magnitude, sum.unit_log2 + scale_log2});
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
