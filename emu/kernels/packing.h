#pragma once
// Operands in the form that the kernels read, and what is known about their scales.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "emu/block.h"
#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {

// Memory of a cache line's alignment; grows only.
class Buffer {
 public:
  // At least `count` values of T.
  template <typename T>
  T* of(int64_t count) {
    const size_t needed = size_t(count) * sizeof(T) + line;
    if (bytes_.size() < needed) bytes_.resize(needed);
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data());
    return reinterpret_cast<T*>((address + line - 1) / line * line);
  }

 private:
  static constexpr size_t line = 64;
  std::vector<uint8_t> bytes_;
};

// The ranges of a row (over K). A NaN anywhere in a row makes its whole row of the product NaN, so
// the kernels need not know NaN.
struct RowRange {
  // Of the scales: each is a multiple of 2^min_log2 and at most 2^max_log2.
  int min_log2 = 0;
  int max_log2 = 0;
  // Of the elements, in units of the format: each is a multiple of 2^element_low and below
  // 2^element_high.
  int element_low = 0;
  int element_high = 0;
  // Not less than the root of the sum of squares of the row's values, in units of the format.
  double norm = 0;
  bool has_nan = false, has_inf = false;
};

// How often each code occurs among evenly spaced samples, as shares of 1. What serves only to
// choose the faster of two kernels of the same bits.
typedef std::array<float, 256> CodeShares;
CodeShares sample_codes(std::span<const uint8_t> codes);

// What holds for both, or for all.
RowRange together(const RowRange& x, const RowRange& y);
RowRange together(std::span<const RowRange> rows);

// Reads rows of an operand as the kernels need them.
class RowScan {
 public:
  explicit RowScan(const MxTensor& q);

  // The scale codes of a row as the kernels use them → scales (blocks_per_row). A block of zeros
  // adds nothing whatever its scale: it gets the largest scale of the other blocks, so that the
  // scale codes of zero blocks (0 by ARITHMETIC.md §2) do not widen the range. NaN scales likewise.
  // norms (blocks_per_row), where it is not null: of each block, not less than the root of the sum
  // of squares of its elements, in units; without it the row's norm is unknown, 0.
  RowRange row(int64_t row, uint8_t* scales, double* norms = nullptr) const;

 private:
  double find_norms(int64_t row, const uint8_t* scales, double* norms) const;

  const MxTensor& q_;
  std::array<double, 256> squares_{};        // of each code, in units; of NaN and Inf 0
  std::array<double, 256> scale_squares_{};  // of each scale code that is not NaN
};

// A right operand, once for all pairs of formats and all instruction sets.
struct PackedColumns {
  MxTensor header;              // shape (N,K) and conversion; no codes, no scales
  std::vector<uint8_t> codes;   // (panels, blocks · block / 4, panel_columns, 4)
  std::vector<uint8_t> scales;  // (panels, blocks, panel_columns)
  // (panels, blocks, norm_groups): the largest of the columns', as of RowScan.
  std::vector<float> norms;
  std::vector<RowRange> of_column, of_panel;
  CodeShares shares{};

  int block() const { return header.block(); }
  int64_t blocks() const { return header.blocks_per_row(); }  // of a column
  int64_t columns() const { return header.rows(); }           // N
  int64_t panels() const { return (columns() + panel_columns - 1) / panel_columns; }
  Panel panel(int64_t index, int64_t first_block, int count = 1) const {
    const int64_t at = index * blocks() + first_block;
    return {codes.data() + at * block() * panel_columns, scales.data() + at * panel_columns, count,
            block()};
  }
  // Codes of one block of a column → out (block).
  void block_codes(int64_t column, int64_t index, uint8_t* out) const;
  uint8_t scale(int64_t column, int64_t index) const {
    return panel(column / panel_columns, index).scales[column % panel_columns];
  }
};
PackedColumns pack_columns(const MxTensor& b);

// Elements from a decoded row, or tile of rows, to the next. A power of two would put a chunk of
// all rows into a few sets of the caches; an odd multiple of 128 elements spreads it over all.
inline int64_t row_stride(const PackedColumns& b) {
  constexpr int64_t unit = 128;  // blocks are whole in it
  const int64_t units = (b.blocks() * b.block() + unit - 1) / unit;
  return (units | 1) * unit;
}

}  // namespace mxref::kernels
