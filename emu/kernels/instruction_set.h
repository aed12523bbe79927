#pragma once
// What each instruction set gives: one file, compiled with its own -m flags. Such a file includes
// this header and nothing else of the tree, and everything in it but its table has internal
// linkage: of an inline function that two files share, the linker might keep the copy that the
// machine cannot run. So this header has plain structures only.

#include <cstdint>

namespace mxref::kernels {

// Columns of a panel of B. Within a panel the codes are kept as (K/4, panel_columns, 4): four
// consecutive k of one column lie together, then those of the next column.
constexpr int panel_columns = 32;

constexpr int longest_block = 128;

// A few blocks of K of one panel, as kept.
struct Panel {
  const uint8_t* codes;   // (blocks · block / 4, panel_columns, 4)
  const uint8_t* scales;  // (blocks, panel_columns) e8m0, none of them NaN
};

// The same blocks of some rows of A, decoded; rows lie `stride` values apart in `values` and
// `block_stride` in the others. e2m1 × e2m1: integers in units of 2^-1.
struct IntegerRows {
  const int8_t* values;
  const int32_t* start;      // -12 · Σ values of the block
  const uint32_t* exponent;  // (scale code - 127 - 2) << 23
  int64_t stride;
  int64_t block_stride;
};
// Any pair of formats: integers in units of the format's unit, as binary64.
struct DoubleRows {
  const double* values;
  const uint64_t* exponent;  // (scale code - 127 + log2 of both formats' units) << 52
  int64_t stride;
  int64_t block_stride;
};

// The fields of a floating-point element: code = S E…E M…M, no Inf, NaN codes taken as numbers.
struct ElementFields {
  int exponent_bits;
  int mantissa_bits;
};

// A format whose values are high · 2^shift + low, both of 16 bits, |low| <= 2^(shift-1).
struct WordFormat {
  ElementFields fields;
  int shift;
};
// Rows of A so split; those of a tile lie together, in each array below a tile's blocks.
constexpr int word_tile_rows = 16;
struct WordRows {
  const int16_t *high, *low, *both;  // (tiles, pairs of k, word_tile_rows, 2); both = high + low
  const uint64_t* low_pairs;  // (tiles, blocks, word_tile_rows): a bit for each pair with low != 0
  const uint8_t* low_rows;    // likewise: 0xFF where there is such a pair, or 0
  const uint64_t* exponent;   // likewise: as of DoubleRows
  int64_t block_stride;       // blocks of a tile
};
// Where one row goes.
struct WordRowPlace {
  int16_t *high, *low, *both;
  uint64_t* low_pairs;
  uint8_t* low_rows;
};
struct WordShape {
  int blocks;
  int block;
  int high_shift;   // of Σ high·high: the shifts of both formats
  int low_shift;    // of Σ high·low and Σ low·high: zero unless both formats are split
  bool both_split;  // then both shifts are the same
};

// An element format for conversion, by rounding to nearest even: another rounding mode is another
// function beside encode_blocks.
struct EncodeFields {
  int emin;
  int mantissa_bits;
  int sign_bit;
  int max_code;  // of the magnitude
};

struct InstructionSet {
  // acc (rows, panel_columns) ← fused steps of `blocks` blocks, in order, for the scales that
  // fused_f32.inc and fused_f64.inc state. b_values: of each code of e2m1, + 12. scratch: room for
  // the decoded panel, one byte a value and four a scale, or eight and eight. Null where the
  // instruction set has no such kernel.
  void (*integer_panel)(const IntegerRows& a, int rows, const Panel& b, const int8_t* b_values,
                        int blocks, int block, float* acc, void* scratch);
  void (*double_panel)(const DoubleRows& a, int rows, const Panel& b, ElementFields b_fields,
                       int blocks, int block, float* acc, void* scratch);
  // As double_panel, by products of 16-bit integers. scratch: three words a value, eight bytes a
  // scale and eight a block and column group. Null where there is no such kernel.
  void (*word_panel)(const WordRows& a, int rows, const Panel& b, WordFormat b_format,
                     WordShape shape, float* acc, void* scratch);
  void (*decode_word_row)(const uint8_t* codes, int blocks, int block, WordFormat f,
                          const WordRowPlace& to);
  // values[i] = table[codes[i]], codes below 16; count is a multiple of 8.
  void (*look_up)(const uint8_t* codes, int64_t count, const int8_t* table, int8_t* values);
  // Conversion of whole blocks; the scale rule lies between the two. factors: p / scale, exact.
  void (*block_maxima)(const float* x, int blocks, int block, uint32_t* maxima);
  void (*encode_blocks)(const float* x, int blocks, int block, const float* factors,
                        EncodeFields fields, uint8_t* codes);
};

extern const InstructionSet portable_kernels, avx2_kernels, avx512vnni_kernels;

}  // namespace mxref::kernels
