#pragma once
// The ways from prepared operands to a kernel: each decodes the rows of A in the form that its
// kernel reads, and knows the range of scales for which the kernel's proof holds.

#include <algorithm>
#include <array>
#include <cstdint>

#include "emu/binary32.h"
#include "emu/codec.h"
#include "emu/e8m0.h"
#include "emu/kernels/instruction_set.h"
#include "emu/kernels/packing.h"

namespace mxref::kernels {

// Of each code of e2m1, in units, + shift.
constexpr std::array<int8_t, 16> e2m1_values_plus(int shift) {
  std::array<int8_t, 16> values{};
  for (uint32_t code = 0; code < values.size(); ++code)
    values[code] = int8_t(value_units(e2m1, code) + shift);
  return values;
}

// e2m1 × e2m1 by integers. `rows` rows of A decoded, and the range of log2(x·unit) for which
// fused_f32.inc proves the step.
class IntegerPath {
 public:
  static constexpr int min_log2 = -126, max_log2 = 127;
  static constexpr int64_t rows = 256, chunk_length = 512;  // A: 128 KiB of L2, B: 16 KiB of L1

  IntegerPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b)
      : kernels_(kernels), a_(a), b_(b), stride_(b.blocks() * b.block()) {
    const int64_t at_once = std::min(rows, a.rows());
    values_.of<int8_t>(at_once * stride_);
    start_.of<int32_t>(at_once * b.blocks());
    exponent_.of<uint32_t>(at_once * b.blocks());
  }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales) {
    const auto codes = a_.row_codes(row);
    int8_t* values = values_.of<int8_t>(0) + slot * stride_;
    const int64_t whole = a_.cols() / 8 * 8;
    kernels_.look_up(codes.data(), whole, units.data(), values);
    for (int64_t k = whole; k < stride_; ++k)
      values[k] = k < a_.cols() ? units[codes[size_t(k)]] : int8_t(0);
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      int32_t sum = 0;
      for (int64_t k = i * b_.block(); k < (i + 1) * b_.block(); ++k) sum += values[k];
      start_.of<int32_t>(0)[slot * b_.blocks() + i] = -offset * sum;
      const int32_t exponent = e8m0::log2(scales[i]) + 2 * e2m1.unit_log2();
      exponent_.of<uint32_t>(0)[slot * b_.blocks() + i] = uint32_t(exponent) << 23;
    }
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, float* acc,
                  Buffer& scratch) {
    const IntegerRows a{values_.of<int8_t>(0) + first * b_.block(), start_.of<int32_t>(0) + first,
                        exponent_.of<uint32_t>(0) + first, stride_, b_.blocks()};
    // Decoded: a byte a value and four a scale.
    const int64_t bytes = int64_t(blocks) * (b_.block() + 4) * panel_columns;
    kernels_.integer_panel(a, count_rows, b_.panel(panel, first), offset_units.data(), blocks,
                           b_.block(), acc, scratch.of<uint8_t>(bytes));
  }

 private:
  static constexpr int offset = int(e2m1.magnitude_units(e2m1.max_code()));
  static constexpr auto units = e2m1_values_plus(0), offset_units = e2m1_values_plus(offset);

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  int64_t stride_;
  Buffer values_, start_, exponent_;
};

// Any pair by binary64; the range is that of fused_f64.inc.
class DoublePath {
 public:
  static constexpr int min_log2 = binary32::unit_log2, max_log2 = 1 << 16;
  static constexpr int64_t rows = 256, chunk_length = 128;  // A: 256 KiB of L2, B: 32 KiB

  DoublePath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b)
      : kernels_(kernels), a_(a), b_(b), stride_(b.blocks() * b.block()) {
    const int64_t at_once = std::min(rows, a.rows());
    values_.of<double>(at_once * stride_);
    exponent_.of<uint64_t>(at_once * b.blocks());
    for (uint32_t code = 0; code < 256; ++code)
      units_[code] = double(value_units(a.element(), code));
  }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales) {
    const auto codes = a_.row_codes(row);
    double* values = values_.of<double>(0) + slot * stride_;
    for (int64_t k = 0; k < stride_; ++k) values[k] = k < a_.cols() ? units_[codes[size_t(k)]] : 0;
    const int unit_log2 = a_.element().unit_log2() + b_.header.element().unit_log2();
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      const int64_t exponent = e8m0::log2(scales[i]) + unit_log2;
      exponent_.of<uint64_t>(0)[slot * b_.blocks() + i] = uint64_t(exponent) << 52;
    }
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, float* acc,
                  Buffer& scratch) {
    const DoubleRows a{values_.of<double>(0) + first * b_.block(),
                       exponent_.of<uint64_t>(0) + first, stride_, b_.blocks()};
    const ElementFormat& element = b_.header.element();
    const int64_t doubles = int64_t(blocks) * (b_.block() + 1) * panel_columns;
    kernels_.double_panel(a, count_rows, b_.panel(panel, first),
                          {element.exponent_bits, element.mantissa_bits}, blocks, b_.block(), acc,
                          scratch.of<double>(doubles));
  }

 private:
  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  int64_t stride_;
  double units_[256];
  Buffer values_, exponent_;
};

// How a pair of formats splits into words for blocks of `block`: the least shifts for which the
// sums of fused_words.inc fit. `found` is false where there are none.
struct WordSplit {
  int a = 0, b = 0;
  bool found = false;
};
WordSplit word_split(const ElementFormat& a, const ElementFormat& b, int block) {
  constexpr uint64_t word = 1 << 15, sum = 1u << 31;
  const uint64_t of_a = a.magnitude_units(a.max_code()), of_b = b.magnitude_units(b.max_code());
  const auto high = [](uint64_t value, int shift) { return (value >> shift) + 1; };
  const auto low = [](int shift) { return uint64_t(1) << shift >> 1; };
  for (int shift = 0; shift < 16; ++shift) {
    // A format of few bits stays whole.
    const WordSplit s{of_a < 512 ? 0 : shift, of_b < 512 ? 0 : shift, true};
    const uint64_t M = (high(of_a, s.a) * low(s.b) << s.a) + (high(of_b, s.b) * low(s.a) << s.b) +
                       low(s.a) * low(s.b);
    if (high(of_a, s.a) + low(s.a) < word && high(of_b, s.b) + low(s.b) < word &&
        block * high(of_a, s.a) * high(of_b, s.b) < sum && block * M < sum)
      return s;
    if (s.a == 0 && s.b == 0 && shift > 0) break;
  }
  return {};
}

// Pairs that split into words; the range is that of fused_f64.inc.
class WordPath {
 public:
  static constexpr int min_log2 = binary32::unit_log2, max_log2 = 1 << 16;
  static constexpr int64_t rows = 512, chunk_length = 128;  // A: 384 KiB of L2, B: 24 KiB

  WordPath(const InstructionSet& kernels, const MxTensor& a, const PackedColumns& b,
           WordSplit split)
      : kernels_(kernels), a_(a), b_(b), split_(split), stride_(b.blocks() * b.block()) {
    const int64_t at_once =
        (std::min(rows, a.rows()) + word_tile_rows - 1) / word_tile_rows * word_tile_rows;
    plane_ = at_once * stride_;
    words_.of<int16_t>(3 * plane_);
    low_pairs_.of<uint64_t>(at_once * b.blocks());
    low_rows_.of<uint8_t>(at_once * b.blocks());
    exponent_.of<uint64_t>(at_once * b.blocks());
  }

  void decode_row(int64_t row, int64_t slot, const uint8_t* scales) {
    const auto codes = a_.row_codes(row);
    const int block = b_.block();
    const int64_t whole = a_.cols() / block, rest = a_.cols() - whole * block;
    const WordFormat format = word_format(a_.element(), split_.a);
    kernels_.decode_word_row(codes.data(), int(whole), block, format, place(slot, 0));
    if (rest > 0) {
      uint8_t padded[longest_block] = {};
      std::copy_n(codes.data() + whole * block, rest, padded);
      kernels_.decode_word_row(padded, 1, block, format, place(slot, whole));
    }
    const int unit_log2 = a_.element().unit_log2() + b_.header.element().unit_log2();
    for (int64_t i = 0; i < b_.blocks(); ++i) {
      const int64_t exponent = e8m0::log2(scales[i]) + unit_log2;
      exponent_.of<uint64_t>(0)[at(slot, i)] = uint64_t(exponent) << 52;
    }
  }

  void add_blocks(int count_rows, int64_t panel, int64_t first, int blocks, float* acc,
                  Buffer& scratch) {
    const WordRowPlace from = place(0, first);
    const WordRows a{from.high,      from.low,      from.both,
                     from.low_pairs, from.low_rows, exponent_.of<uint64_t>(0) + at(0, first),
                     b_.blocks()};
    const bool both = split_.a > 0 && split_.b > 0;
    const int64_t values = int64_t(blocks) * b_.block() * panel_columns;
    const int64_t bytes = 6 * values + 8 * int64_t(blocks) * 2 * panel_columns;
    kernels_.word_panel(a, count_rows, b_.panel(panel, first),
                        word_format(b_.header.element(), split_.b),
                        {blocks, b_.block(), split_.a + split_.b, both ? split_.a : 0, both}, acc,
                        scratch.of<uint8_t>(bytes));
  }

 private:
  static WordFormat word_format(const ElementFormat& f, int shift) {
    return {{f.exponent_bits, f.mantissa_bits}, shift};
  }
  // Of a block of a row in an array (tiles, blocks, word_tile_rows).
  int64_t at(int64_t slot, int64_t block) const {
    return (slot / word_tile_rows * b_.blocks() + block) * word_tile_rows + slot % word_tile_rows;
  }
  WordRowPlace place(int64_t slot, int64_t block) {
    const int64_t block_words = int64_t(b_.block()) * word_tile_rows;
    int16_t* high = words_.of<int16_t>(0) +
                    (slot / word_tile_rows * b_.blocks() + block) * block_words +
                    slot % word_tile_rows * 2;
    return {high, high + plane_, high + 2 * plane_, low_pairs_.of<uint64_t>(0) + at(slot, block),
            low_rows_.of<uint8_t>(0) + at(slot, block)};
  }

  const InstructionSet& kernels_;
  const MxTensor& a_;
  const PackedColumns& b_;
  WordSplit split_;
  int64_t stride_, plane_;
  Buffer words_, low_pairs_, low_rows_, exponent_;
};

}  // namespace mxref::kernels
