#pragma once
// One row of a × one row of b on a datapath: the definition, in integers (ARITHMETIC.md §3, §4).

#include <cstdint>
#include <span>
#include <vector>

#include "emu/block.h"
#include "emu/datapaths.h"

namespace mxref {

// A row of a tensor, or one block of it.
struct RowView {
  const BlockFormat* format;
  int block;
  std::span<const uint8_t> codes;   // K
  std::span<const uint8_t> scales;  // one for each block of K
};
RowView row_of(const MxTensor& q, int64_t row);
// The block `index` of a row, cut at its end.
RowView block_of(const RowView& row, int64_t index);

// acc (binary32 bits) and the products of all of K → acc. Rows of equal K and block length.
uint32_t dot_ref(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b);

// A result of one rounding (binary32 bits) on a datapath that is not `aligned`: with ftz a
// subnormal one becomes the zero of its sign.
uint32_t with_ftz(const Datapath& datapath, uint32_t bits);

// S = Σ of the exact products of one block pair, as units · 2^unit_log2.
struct BlockSum {
  __int128 units = 0;
  int unit_log2 = 0;
  bool is_nan = false;
  bool has_nonzero_product = false;
  int infinity = 0;  // +1 or -1: the sum is ±Inf
};
// a, b: codes of equal count. Elements of a short block that are missing are +0 and need not be
// given.
BlockSum block_sum(const ElementFormat& format_a, std::span<const uint8_t> a,
                   const ElementFormat& format_b, std::span<const uint8_t> b);

// A block decoded once for many sums.
class DecodedBlock {
 public:
  DecodedBlock(const ElementFormat& format, std::span<const uint8_t> codes);

 private:
  friend BlockSum block_sum(const DecodedBlock& a, const DecodedBlock& b);
  const ElementFormat* format_;
  std::span<const uint8_t> codes_;
  std::vector<int64_t> units_;  // signed; of an Inf or NaN nothing
  bool is_finite_ = true;       // every one
};
BlockSum block_sum(const DecodedBlock& a, const DecodedBlock& b);

// One step of the datapaths whose step is a block, fused and blockwise: acc meets S with the
// product of two scales; e8m0 codes where no formats are given.
uint32_t accumulate_block(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                          uint8_t scale_a, uint8_t scale_b,
                          const ScaleFormat& format_a = e8m0_scale,
                          const ScaleFormat& format_b = e8m0_scale);

}  // namespace mxref
