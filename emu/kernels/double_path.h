#pragma once
// Any pair of formats by binary64 (double_sums.inc).

#include <algorithm>
#include <array>
#include <cmath>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/kernels/packing.h"

namespace mxref::kernels {

// The product of two scales for which a path's proof holds: a multiple of 2^min_log2, at most
// 2^max_log2.
struct ProvenRange {
  int min_log2, max_log2;
};
inline constexpr int unbounded = 1 << 16;

// How the block sums of some rows meet their accumulators in a panel.
struct PanelStep {
  Step step;
  const double* split;  // of each row, where the step is exact: ExactStep64 of double_sums.inc
  const uint8_t* sums_are_exact;  // of each row, where the step is `fused`, or null: DoubleRows
};

inline int unit_log2(const MxTensor& a, const PackedColumns& b) {
  return a.element().unit_log2() + b.header.element().unit_log2();
}
// Of each code, in units of the format. NaN and Inf, which the engine computes otherwise, are 0.
template <typename T>
std::array<T, 256> values_of_codes(const ElementFormat& f) {
  std::array<T, 256> values{};
  for (uint32_t code = 0; code < values.size(); ++code)
    if (is_finite(f, code & f.code_mask())) values[code] = T(value_units(f, code & f.code_mask()));
  return values;
}
// Of each scale code, times 2^exponent.
template <typename T>
std::array<T, 256> values_of_scales(const ScaleFormat& f, int exponent) {
  std::array<T, 256> values{};
  for (uint32_t code = 0; code < values.size(); ++code) {
    if (f.is_nan(uint8_t(code))) continue;
    const auto parts = f.parts(uint8_t(code));
    values[code] = std::ldexp(T(parts.significand), parts.exponent + exponent);
  }
  return values;
}

class DoublePath {
 public:
  static constexpr int64_t rows = 256, chunk_length = 128;  // A: 256 KiB of L2, B: 32 KiB

  // The norms of rows prove sums exact.
  static constexpr bool has_wide_sums = true;

  DoublePath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b)
      : kernels_(kernels), a_(a), b_(b), length_(b.blocks() * b.block()), stride_(row_stride(b)) {
    const int64_t at_once = std::min(rows, a.rows());
    values_.of<double>(at_once * stride_);
    scale_.of<double>(at_once * b.blocks());
    a_values_ = values_of_codes<double>(a.element());
    b_values_ = values_of_codes<double>(b.header.element());
    a_scales_ = values_of_scales<double>(*a.format().scale, unit_log2(a, b));
    b_scales_ = values_of_scales<double>(*b.header.format().scale, 0);
  }

  // FusedStep64 wants multiples of 2^-149.
  ProvenRange proven(Step step) const {
    const bool is_fused = step == Step::fused || step == Step::fused_ftz;
    return {is_fused ? binary32::unit_log2 - unit_log2(a_, b_) : -unbounded, unbounded};
  }
  bool has_binary64_step() const { return true; }
  int64_t blocks_at_once() const { return 1; }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales, const double*) {
    const auto codes = a_.row_codes(row);
    double* values = values_.of<double>(0) + slot * stride_;
    for (int64_t k = 0; k < length_; ++k)
      values[k] = k < a_.cols() ? a_values_[codes[size_t(k)]] : 0;
    for (int64_t i = 0; i < b_.blocks(); ++i)
      scale_.of<double>(0)[slot * b_.blocks() + i] = a_scales_[scales[i]];
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, PanelStep step,
                  void* acc, Buffer& scratch) {
    const DoubleRows a{values_.of<double>(0) + first * b_.block(),
                       scale_.of<double>(0) + first,
                       step.split,
                       step.sums_are_exact,
                       stride_,
                       b_.blocks()};
    const int64_t doubles = int64_t(blocks) * (b_.block() + 1) * panel_columns;
    kernels_.double_panel(a, count_rows, b_.panel(panel, first, blocks),
                          {b_values_.data(), b_scales_.data()}, step.step, acc,
                          scratch.of<double>(doubles));
  }

 private:
  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  int64_t length_, stride_;
  std::array<double, 256> a_values_, b_values_, a_scales_, b_scales_;
  Buffer values_, scale_;
};

}  // namespace mxref::kernels
