#pragma once
// The datapath `sequential` (chain.inc): dequantized values in binary32, one fused multiply-add an
// element.

#include "emu/kernels/double_path.h"

namespace mxref::kernels {

class ChainPath {
 public:
  static constexpr int64_t rows = 256, chunk_length = 128;  // A: 128 KiB of L2, B: 16 KiB of L1
  static constexpr bool has_wide_sums = false;

  ChainPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b, bool ftz)
      : kernels_(kernels), a_(a), b_(b), ftz_(ftz), stride_(row_stride(b)) {
    values_.of<float>(std::min(rows, a.rows()) * stride_);
    a_values_ = signed_values(a.element());
    b_values_ = signed_values(b.header.element());
    a_scales_ = values_of_scales<double>(*a.format().scale, a.element().unit_log2());
    b_scales_ = values_of_scales<double>(*b.header.format().scale, b.header.element().unit_log2());
  }

  ProvenRange proven(Step) const { return {-unbounded, unbounded}; }
  // Of one operand: whether each value of a row is a binary32 number.
  static bool is_representable(const ElementFormat& f, const RowRange& range) {
    return range.min_log2 + f.unit_log2() >= binary32::unit_log2 &&
           range.max_log2 + f.unit_log2() + f.magnitude_units_bits() <= binary32::emax + 1;
  }
  bool has_binary64_step() const { return false; }
  int64_t blocks_at_once() const { return 1; }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales, const double*) {
    const auto codes = a_.row_codes(row);
    float* values = values_.of<float>(0) + slot * stride_;
    for (int64_t k = 0; k < a_.cols(); ++k)
      values[k] = float(a_values_[codes[size_t(k)]] * a_scales_[scales[k / b_.block()]]);
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, PanelStep, void* acc,
                  Buffer& scratch) {
    const int64_t k = first * b_.block();
    const int64_t count = std::min<int64_t>(int64_t(blocks) * b_.block(), a_.cols() - k);
    kernels_.chain_panel({values_.of<float>(0) + k, stride_}, count_rows,
                         b_.panel(panel, first, blocks), {b_values_.data(), b_scales_.data()},
                         count, ftz_, static_cast<float*>(acc),
                         scratch.of<float>(count * panel_columns));
  }

 private:
  // The sign of zero counts: a chain of zeros keeps it.
  static std::array<double, 256> signed_values(const ElementFormat& f) {
    std::array<double, 256> values = values_of_codes<double>(f);
    for (uint32_t code = 0; code < values.size(); ++code)
      if (values[code] == 0 && is_negative(f, code)) values[code] = -0.0;
    return values;
  }

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  bool ftz_;
  int64_t stride_;
  std::array<double, 256> a_values_, b_values_, a_scales_, b_scales_;
  Buffer values_;
};

}  // namespace mxref::kernels
