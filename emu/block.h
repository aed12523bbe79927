#pragma once
// A tensor in an MX format, one code a byte, and how it is made.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "emu/codec.h"
#include "emu/formats.h"
#include "emu/scale_rules.h"

namespace mxref {

// Block lengths that a tensor may have (ARITHMETIC.md §8).
inline constexpr std::array block_lengths{8, 16, 32, 64, 128};
constexpr bool is_block_length(int n) {
  for (int length : block_lengths)
    if (n == length) return true;
  return false;
}
// Under a tensor scale a block has the format's own length.
constexpr bool is_block_length(const BlockFormat& format, int n) {
  return format.has_tensor_scale() ? n == format.block : is_block_length(n);
}

// How binary32 values become codes and scales.
struct Conversion {
  const BlockFormat* format = &block_formats[0];
  const ScaleRule* rule = &scale_rules[0];
  const Rounding* rounding = &roundings[0];
  Prescale prescale = {};
  int block = format->block;
  bool relabel = false;       // the control of ARITHMETIC.md §2: the scale is taken from x · p
  uint64_t seed = 0;          // of a stochastic rounding
  bool scale_by_row = false;  // of a format with tensor scales: one a row, not one for the tensor
  bool operator==(const Conversion&) const = default;
};

// (…, K): rows are the product of the leading dimensions. A row's last block may be shorter.
struct MxTensor {
  Conversion conversion;
  std::vector<int64_t> shape;   // (…, K)
  std::vector<uint8_t> codes;   // rows · K
  std::vector<uint8_t> scales;  // rows · blocks_per_row
  // Of a format with tensor scales: one, or one a row.
  std::vector<float> tensor_scales = {};

  const BlockFormat& format() const { return *conversion.format; }
  const ElementFormat& element() const { return *conversion.format->element; }
  int block() const { return conversion.block; }
  int64_t cols() const { return shape.back(); }  // K
  int64_t rows() const {
    int64_t n = 1;
    for (size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
    return n;
  }
  int64_t blocks_per_row() const { return (cols() + block() - 1) / block(); }
  std::span<const uint8_t> row_codes(int64_t row) const {
    return {codes.data() + row * cols(), size_t(cols())};
  }
  std::span<const uint8_t> row_scales(int64_t row) const {
    return {scales.data() + row * blocks_per_row(), size_t(blocks_per_row())};
  }
  // Of a format without tensor scales: 1.
  float tensor_scale(int64_t row) const {
    if (tensor_scales.empty()) return 1;
    return tensor_scales[tensor_scales.size() == 1 ? 0 : size_t(row)];
  }
  bool operator==(const MxTensor&) const = default;
};

}  // namespace mxref
