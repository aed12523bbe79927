#pragma once
// Pairs of formats whose block sums are below 2^24, by bytes or words (integer_sums.inc).

#include "emu/kernels/double_path.h"

namespace mxref::kernels {

inline constexpr uint64_t binary32_integers = 1 << 24;  // binary32 has each integer below

// Magnitudes of the block sums of a pair, in units.
inline uint64_t largest_sum(const ElementFormat& a, const ElementFormat& b, int block) {
  return a.max_units() * b.max_units() * uint64_t(block);
}

class IntegerPath {
 public:
  static constexpr int64_t rows = 256, chunk_length = 512;  // A: 128 KiB of L2, B: 16 KiB of L1
  static constexpr bool has_wide_sums = false;

  // Whether products of bytes, or of words, serve.
  static bool has_bytes(const InstructionSet& kernels, const ElementFormat& a,
                        const ElementFormat& b, int block) {
    return kernels.byte_panel && b.max_units() <= 128 && a.max_units() <= 128 &&
           largest_sum(a, b, block) >> kernels.byte_lane_bits == 0 &&
           largest_sum(a, b, block) < binary32_integers;
  }
  static bool has_words(const InstructionSet& kernels, const ElementFormat& a,
                        const ElementFormat& b, int block) {
    return kernels.word_panel && a.max_units() < 1 << 15 && b.max_units() < 1 << 15 &&
           largest_sum(a, b, block) < binary32_integers;
  }

  IntegerPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b, bool bytes)
      : kernels_(kernels),
        a_(a),
        b_(b),
        bytes_(bytes),
        length_(b.blocks() * b.block()),
        stride_(row_stride(b)) {
    const int64_t at_once = std::min(rows, a.rows());
    values_.of<int16_t>(at_once * stride_);
    start_.of<int32_t>(at_once * b.blocks());
    scale_.of<float>(at_once * b.blocks());
    const ElementFormat& element = b.header.element();
    offset_ = int(element.max_units());
    b_words_ = values_of_codes<int16_t>(element);
    for (size_t code = 0; code < b_bytes_.size(); ++code)
      b_bytes_[code] = uint8_t(b_words_[code] + offset_);
    a_words_ = values_of_codes<int16_t>(a.element());
    a_bytes_ = values_of_codes<int8_t>(a.element());
    a_scales_ = values_of_scales<float>(*a.format().scale, unit_log2(a, b));
    b_scales_ = values_of_scales<float>(*b.header.format().scale, 0);
  }

  // The product of the scales and units is a normal binary32 number.
  ProvenRange proven(Step) const {
    const int unit = unit_log2(a_, b_);
    return {binary32::emin - unit, binary32::emax - unit};
  }
  bool has_binary64_step() const { return false; }
  int64_t blocks_at_once() const { return 1; }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales, const double*) {
    if (bytes_)
      decode_bytes(row, slot);
    else
      decode_words(row, slot);
    for (int64_t i = 0; i < b_.blocks(); ++i)
      scale_.of<float>(0)[slot * b_.blocks() + i] = a_scales_[scales[i]];
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, PanelStep step,
                  void* acc, Buffer& scratch) {
    const int64_t k = first * b_.block();
    const void* values = bytes_ ? static_cast<const void*>(values_.of<int8_t>(0) + k)
                                : static_cast<const void*>(values_.of<int16_t>(0) + k);
    const IntegerRows a{
        values,     start_.of<int32_t>(0) + first, scale_.of<float>(0) + first, step.split, stride_,
        b_.blocks()};
    const int64_t bytes = int64_t(blocks) * (2 * b_.block() + 4) * panel_columns;
    const Panel b = b_.panel(panel, first, blocks);
    if (bytes_)
      kernels_.byte_panel(a, count_rows, b, {b_bytes_.data(), b_scales_.data(), b_bits()},
                          step.step, acc, scratch.of<uint8_t>(bytes));
    else
      kernels_.word_panel(a, count_rows, b, {b_words_.data(), b_scales_.data(), b_bits()},
                          step.step, acc, scratch.of<uint8_t>(bytes));
  }

 private:
  int b_bits() const { return b_.header.element().bits(); }
  void decode_bytes(int64_t row, int64_t slot) {
    const auto codes = a_.row_codes(row);
    int8_t* values = values_.of<int8_t>(0) + slot * stride_;
    kernels_.look_up(codes.data(), a_.cols(), a_bytes_.data(), a_.element().bits(), values);
    std::fill(values + a_.cols(), values + length_, int8_t(0));
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      int32_t sum = 0;
      for (int64_t j = i * b_.block(); j < (i + 1) * b_.block(); ++j) sum += values[j];
      start_.of<int32_t>(0)[slot * b_.blocks() + i] = -offset_ * sum;
    }
  }
  void decode_words(int64_t row, int64_t slot) {
    const auto codes = a_.row_codes(row);
    int16_t* values = values_.of<int16_t>(0) + slot * stride_;
    for (int64_t k = 0; k < length_; ++k)
      values[k] = k < a_.cols() ? a_words_[codes[size_t(k)]] : int16_t(0);
  }

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  bool bytes_;
  int64_t length_, stride_;
  int offset_;
  std::array<int16_t, 256> a_words_, b_words_;
  std::array<int8_t, 256> a_bytes_;
  std::array<uint8_t, 256> b_bytes_;
  std::array<float, 256> a_scales_, b_scales_;
  Buffer values_, start_, scale_;
};

}  // namespace mxref::kernels
