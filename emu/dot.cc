#include "emu/dot.h"

#include <algorithm>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/dot_aligned.h"
#include "emu/exact_sum.h"
#include "emu/scale_product.h"

namespace mxref {

uint32_t with_ftz(const Datapath& datapath, uint32_t bits) {
  return datapath.ftz && binary32::is_subnormal(bits) ? bits & binary32::sign_mask : bits;
}

namespace {

using binary32::Real;

// acc ← RNE32(acc + x·S).
uint32_t fused_step(uint32_t acc, const BlockSum& sum, const ScaleProduct& x) {
  if (sum.infinity != 0) return binary32::add_rne(acc, infinity_of(sum.infinity));
  if (binary32::is_inf(acc)) return acc;
  // CHOICE: -0 stays -0 where the block has no nonzero product; every other exact zero is +0.
  if (!sum.has_nonzero_product) return acc;
  return binary32::round_sum_rne(binary32::real(acc), term_of(sum, x));
}

// t ← RNE32(x·S), +0 where S is 0; acc ← RNE32(acc + t), IEEE's addition.
uint32_t blockwise_step(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                        const ScaleProduct& x) {
  if (sum.infinity != 0) return binary32::add_rne(acc, infinity_of(sum.infinity));
  const Real term = term_of(sum, x);
  const uint32_t t = binary32::round_rne(term.negative, term.magnitude, term.exponent);
  return binary32::add_rne(acc, with_ftz(datapath, t));
}

// acc ← RNE32(x_a·a_i · x_b·b_i + acc), IEEE's fused multiply-add of the two dequantized values.
uint32_t fma_step(uint32_t acc, const ElementFormat& format_a, uint8_t a,
                  const ElementFormat& format_b, uint8_t b, const ScaleProduct& x) {
  const BlockSum product = block_sum(format_a, {&a, 1}, format_b, {&b, 1});
  if (x.is_nan || product.is_nan || binary32::is_nan(acc)) return binary32::canonical_nan;
  if (product.infinity != 0) return binary32::add_rne(acc, infinity_of(product.infinity));
  if (binary32::is_inf(acc)) return acc;
  const Real term = term_of(product, x);
  if (term.magnitude == 0 && (acc & ~binary32::sign_mask) == 0) {  // -0 where both are
    const bool negative = is_negative(format_a, a) != is_negative(format_b, b);
    return negative ? acc : 0;
  }
  return binary32::round_sum_rne(binary32::real(acc), term);
}

uint32_t sequential(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b) {
  for (size_t i = 0; i < a.codes.size(); ++i) {
    const size_t block = i / size_t(a.block);
    const ScaleProduct x =
        scale_product(*a.format->scale, a.scales[block], *b.format->scale, b.scales[block]);
    acc = with_ftz(
        datapath, fma_step(acc, *a.format->element, a.codes[i], *b.format->element, b.codes[i], x));
  }
  return acc;
}

uint32_t block_by_block(const Datapath& datapath, uint32_t acc, const RowView& a,
                        const RowView& b) {
  for (size_t block = 0; block < a.scales.size(); ++block) {
    const RowView x = block_of(a, int64_t(block)), y = block_of(b, int64_t(block));
    const BlockSum sum = block_sum(*x.format->element, x.codes, *y.format->element, y.codes);
    acc = accumulate_block(datapath, acc, sum, x.scales[0], y.scales[0], *x.format->scale,
                           *y.format->scale);
  }
  return acc;
}

uint32_t exact(uint32_t acc, const RowView& a, const RowView& b) {
  ExactSum sum(acc);
  for (size_t block = 0; block < a.scales.size(); ++block)
    sum.add(block_of(a, int64_t(block)), block_of(b, int64_t(block)));
  return sum.rounded();
}

}  // namespace

RowView row_of(const MxTensor& q, int64_t row) {
  return {&q.format(), q.block(), q.row_codes(row), q.row_scales(row)};
}

RowView block_of(const RowView& row, int64_t index) {
  const auto begin = size_t(index * row.block);
  const size_t count = std::min(size_t(row.block), row.codes.size() - begin);
  return {row.format, row.block, row.codes.subspan(begin, count),
          row.scales.subspan(size_t(index), 1)};
}

BlockSum block_sum(const ElementFormat& format_a, std::span<const uint8_t> a,
                   const ElementFormat& format_b, std::span<const uint8_t> b) {
  BlockSum sum;
  sum.unit_log2 = format_a.unit_log2() + format_b.unit_log2();
  for (size_t i = 0; i < a.size(); ++i) {
    if (is_finite(format_a, a[i]) && is_finite(format_b, b[i])) {
      const __int128 product = __int128(value_units(format_a, a[i])) * value_units(format_b, b[i]);
      sum.units += product;
      sum.has_nonzero_product |= product != 0;
      continue;
    }
    const bool has_zero = format_a.magnitude(a[i]) == 0 || format_b.magnitude(b[i]) == 0;
    const int sign = is_negative(format_a, a[i]) == is_negative(format_b, b[i]) ? 1 : -1;
    sum.is_nan |= is_nan(format_a, a[i]) || is_nan(format_b, b[i]) || has_zero ||
                  sum.infinity == -sign;  // NaN, Inf·0, Inf-Inf
    sum.infinity = sign;
  }
  return sum;
}

DecodedBlock::DecodedBlock(const ElementFormat& format, std::span<const uint8_t> codes)
    : format_(&format), codes_(codes), units_(codes.size()) {
  for (size_t i = 0; i < codes.size(); ++i) {
    is_finite_ &= is_finite(format, codes[i]);
    units_[i] = value_units(format, codes[i]);
  }
}

BlockSum block_sum(const DecodedBlock& a, const DecodedBlock& b) {
  constexpr int bits_of_a_count = 8;  // of blocks up to 128
  const bool fits =
      a.format_->magnitude_units_bits() + b.format_->magnitude_units_bits() + bits_of_a_count < 64;
  if (!a.is_finite_ || !b.is_finite_ || !fits)
    return block_sum(*a.format_, a.codes_, *b.format_, b.codes_);
  BlockSum sum;
  sum.unit_log2 = a.format_->unit_log2() + b.format_->unit_log2();
  int64_t units = 0;
  for (size_t i = 0; i < a.units_.size(); ++i) {
    const int64_t product = a.units_[i] * b.units_[i];
    units += product;
    sum.has_nonzero_product |= product != 0;
  }
  sum.units = units;
  return sum;
}

uint32_t accumulate_block(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                          uint8_t scale_a, uint8_t scale_b, const ScaleFormat& format_a,
                          const ScaleFormat& format_b) {
  const ScaleProduct x = scale_product(format_a, scale_a, format_b, scale_b);
  if (binary32::is_nan(acc) || sum.is_nan || x.is_nan) return binary32::canonical_nan;
  return with_ftz(datapath, datapath.kind == Accumulation::blockwise
                                ? blockwise_step(datapath, acc, sum, x)
                                : fused_step(acc, sum, x));
}

uint32_t dot_ref(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b) {
  switch (datapath.kind) {
    case Accumulation::fused:
    case Accumulation::blockwise:
      return block_by_block(datapath, acc, a, b);
    case Accumulation::sequential:
      return sequential(datapath, acc, a, b);
    case Accumulation::exact:
      return with_ftz(datapath, exact(acc, a, b));
    case Accumulation::aligned:
      return aligned(datapath, acc, a, b);
  }
  __builtin_unreachable();
}

}  // namespace mxref
