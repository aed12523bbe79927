#pragma once
// Pairs of formats whose values split into two words (split_sums.inc).

#include <cstring>

#include "emu/kernels/integer_path.h"

namespace mxref::kernels {

// How a pair of formats splits for blocks of `block`: shifts for which the sums of split_sums.inc
// fit. `found` is false where there are none.
struct WordSplit {
  int a = 0, b = 0;
  bool high_is_short = false;  // the sum of the high words is below 2^24
  int sure_pairs = 0;          // of SplitShape
  bool found = false;
};
inline WordSplit word_split(const ElementFormat& a, const ElementFormat& b, int block) {
  constexpr uint64_t word = 1 << 15, sum = 1u << 31, whole = 512;
  // Above this shift too many elements of a model's blocks have low words.
  constexpr int most_for_short = 5;
  // The sums of a model's blocks are below a fourth of the most that a block may have.
  constexpr uint64_t sum_by_norms = 4 * sum;
  const uint64_t of_a = a.max_units(), of_b = b.max_units();
  const auto high = [](uint64_t value, int shift) { return (value >> shift) + 1; };
  const auto low = [](int shift) { return uint64_t(1) << shift >> 1; };
  WordSplit least;
  for (int shift = 0; shift < 16; ++shift) {
    // A format of few bits stays whole.
    WordSplit s{of_a < whole ? 0 : shift, of_b < whole ? 0 : shift, false, 0, true};
    const uint64_t product = high(of_a, s.a) * high(of_b, s.b), P = uint64_t(block) * product;
    const uint64_t M = (high(of_a, s.a) * low(s.b) << s.a) + (high(of_b, s.b) * low(s.a) << s.b) +
                       low(s.a) * low(s.b);
    s.high_is_short = P < binary32_integers;
    s.sure_pairs = int(std::bit_floor((sum - 1) / (2 * product)));
    const bool fits = high(of_a, s.a) < word && high(of_b, s.b) < word && P < sum_by_norms &&
                      s.sure_pairs > 0 && uint64_t(block) * M < sum;
    if (fits && (!least.found || (s.high_is_short && shift <= most_for_short))) least = s;
    if (least.high_is_short || (s.a == 0 && s.b == 0 && shift > 0)) break;
  }
  return least;
}

class SplitPath {
 public:
  static constexpr int64_t rows = 512, chunk_length = 128;  // A: 256 KiB of L2, B: 16 KiB

  static constexpr bool has_wide_sums = true;

  SplitPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b,
            WordSplit split)
      : kernels_(kernels), a_(a), b_(b), split_(split), stride_(row_stride(b) / b.block()) {
    const int64_t at_once =
        (std::min(rows, a.rows()) + split_tile_rows - 1) / split_tile_rows * split_tile_rows;
    plane_ = at_once * stride_ * b.block();
    words_.of<int16_t>(2 * plane_);
    low_pairs_.of<uint64_t>(at_once * stride_);
    low_rows_.of<uint8_t>(at_once * stride_);
    scale_.of<double>(at_once * stride_);
    scale_of_high_.of<float>(at_once * stride_);
    high_norms_.of<float>(at_once * stride_);
    a_values_ = split_values(a.element(), split.a);
    b_values_ = split_values(b.header.element(), split.b);
    const int unit = unit_log2(a, b), high = split.a + split.b;
    a_scales_ = values_of_scales<double>(*a.format().scale, unit);
    a_scales_of_high_ = values_of_scales<float>(*a.format().scale, unit + high);
    b_scales_ = values_of_scales<double>(*b.header.format().scale, 0);
    b_scales_binary32_ = values_of_scales<float>(*b.header.format().scale, 0);
  }

  // Whether so few elements have low words that it is worth while to split.
  static bool is_worthwhile(const MxTensor& a, const PackedColumns& b, WordSplit split) {
    constexpr float most = 0.02f;
    return share_of_low(a.element(), split.a, sample_codes(a.codes)) +
               share_of_low(b.header.element(), split.b, b.shares) <
           most;
  }

  // As of the paths by integers where P meets the accumulator in binary32, and of DoublePath.
  ProvenRange proven(Step step) const {
    const int unit = unit_log2(a_, b_);
    if (split_.high_is_short)
      return {binary32::emin - unit, binary32::emax - unit - split_.a - split_.b};
    return {step == Step::fused ? binary32::unit_log2 - unit : -unbounded, unbounded};
  }
  // Where P is short, most blocks meet accumulators in binary32.
  bool has_binary64_step() const { return !split_.high_is_short; }
  int64_t blocks_at_once() const { return 1; }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales, const double* norms) {
    const auto codes = a_.row_codes(row);
    const int block = b_.block();
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      int16_t* high = words_.of<int16_t>(0) +
                      (slot / split_tile_rows * stride_ + i) * block * split_tile_rows +
                      slot % split_tile_rows * 2;
      uint64_t low_pairs = 0;
      for (int k = 0; k < block; k += 2) {
        const auto entry = [&](int64_t from) {
          return a_values_[from < a_.cols() ? codes[size_t(from)] : 0];
        };
        const uint32_t first = entry(i * block + k), second = entry(i * block + k + 1);
        const uint32_t lows = first >> 16 | (second & 0xFFFF0000);
        int16_t* to = high + k * split_tile_rows;
        store_pair(to, (first & 0xFFFF) | second << 16);
        store_pair(to + plane_, lows);
        low_pairs |= uint64_t(lows != 0) << (k / 2);
      }
      low_pairs_.of<uint64_t>(0)[at(slot, i)] = low_pairs;
      low_rows_.of<uint8_t>(0)[at(slot, i)] = low_pairs != 0 ? 0xFF : 0;
      scale_.of<double>(0)[at(slot, i)] = a_scales_[scales[i]];
      scale_of_high_.of<float>(0)[at(slot, i)] = a_scales_of_high_[scales[i]];
      high_norms_.of<float>(0)[at(slot, i)] = high_norm(float(norms[i]), split_.a);
    }
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, PanelStep step,
                  void* acc, Buffer& scratch) {
    const int16_t* high = words_.of<int16_t>(0) + first * b_.block() * split_tile_rows;
    const SplitRows a{high,
                      high + plane_,
                      low_pairs_.of<uint64_t>(0) + at(0, first),
                      low_rows_.of<uint8_t>(0) + at(0, first),
                      scale_.of<double>(0) + at(0, first),
                      scale_of_high_.of<float>(0) + at(0, first),
                      high_norms_.of<float>(0) + at(0, first),
                      step.split,
                      stride_};
    const bool both = split_.a > 0 && split_.b > 0;
    const int64_t values = int64_t(blocks) * b_.block() * panel_columns;
    const int64_t bytes = 4 * values + int64_t(blocks) * (12 * panel_columns + 8 * panel_columns);
    float norms[chunk_length / block_lengths.front() * norm_groups];
    const float* of_b = b_.norms.data() + (panel * b_.blocks() + first) * norm_groups;
    for (int i = 0; i < blocks * norm_groups; ++i) norms[i] = high_norm(of_b[i], split_.b);
    kernels_.split_panel(
        a, count_rows, b_.panel(panel, first, blocks),
        {b_values_.data(), b_scales_.data(), b_scales_binary32_.data(), norms},
        {split_.a + split_.b, both ? split_.a : 0, split_.high_is_short, split_.sure_pairs},
        step.step, acc, scratch.of<uint8_t>(bytes));
  }

 private:
  static float share_of_low(const ElementFormat& f, int shift, const CodeShares& shares) {
    const std::array<uint32_t, 256> values = split_values(f, shift);
    float share = 0;
    for (size_t code = 0; code < values.size(); ++code)
      if (values[code] >> 16 != 0) share += shares[code];
    return share;
  }
  static std::array<uint32_t, 256> split_values(const ElementFormat& f, int shift) {
    const std::array<int64_t, 256> values = values_of_codes<int64_t>(f);
    std::array<uint32_t, 256> words{};
    for (size_t code = 0; code < words.size(); ++code) {
      const int64_t high = (values[code] + (int64_t(1) << shift >> 1)) >> shift;
      words[code] = uint32_t(uint16_t(high)) | uint32_t(values[code] - (high << shift)) << 16;
    }
    return words;
  }
  static void store_pair(int16_t* to, uint32_t words) { std::memcpy(to, &words, sizeof words); }
  // Of the high words, from the norm of the values: each is within half of value / 2^shift.
  float high_norm(float norm, int shift) const {
    constexpr float slack = 1 + 0x1p-20f;
    return slack * (std::ldexp(norm, -shift) + std::sqrt(float(b_.block())) / 2);
  }
  // Of a block of a row in an array (tiles, blocks, split_tile_rows).
  int64_t at(int64_t slot, int64_t block) const {
    return (slot / split_tile_rows * stride_ + block) * split_tile_rows + slot % split_tile_rows;
  }

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  WordSplit split_;
  int64_t stride_;  // blocks from a tile of rows to the next
  int64_t plane_;
  std::array<uint32_t, 256> a_values_, b_values_;
  std::array<double, 256> a_scales_, b_scales_;
  std::array<float, 256> a_scales_of_high_, b_scales_binary32_;
  Buffer words_, low_pairs_, low_rows_, scale_, scale_of_high_, high_norms_;
};

}  // namespace mxref::kernels
