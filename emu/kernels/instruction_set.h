#pragma once
// What each instruction set gives: one file, compiled with its own -m flags. Such a file includes
// this header and no other of the tree, and everything in it but its table has internal linkage: of
// an inline function that two files share, the linker might keep the copy that the machine cannot
// run. So this header, and what it includes, has plain structures and declarations only.

#include <cstdint>

#include "emu/elementary.h"

namespace mxref::kernels {

// Columns of a panel of B. Within a panel the codes are kept as (K/4, panel_columns, 4): four
// consecutive k of one column lie together, then those of the next column.
constexpr int panel_columns = 32;

constexpr int longest_block = 128;

// Columns of a panel whose norms are known together.
constexpr int norm_columns = 16;
constexpr int norm_groups = panel_columns / norm_columns;

// A few blocks of K of one panel, as kept.
struct Panel {
  const uint8_t* codes;   // (blocks · block / 4, panel_columns, 4)
  const uint8_t* scales;  // (blocks, panel_columns), none of them NaN
  int blocks;
  int block;
};

// How the sum S of a block meets an accumulator, x being the product of the scales and the units.
// The accumulators `acc` of a panel: binary32 (rows, panel_columns); of `exact`, binary64
// (rows, 2, panel_columns), high and low parts whose sum is exact. `fused_exact_sums` is `fused`
// where every acc + x·S is known to be a binary64 number: accumulators likewise, of one part.
enum class Step : uint8_t { fused, fused_exact_sums, blockwise, exact, fused_ftz, blockwise_ftz };

// Blocks of some rows of A, decoded: integers in units of the format, as bytes, as words of 16 bits
// or as binary64. Rows lie `stride` values apart, and `block_stride` blocks apart in what has one
// number a block.
struct IntegerRows {
  const void* values;
  const int32_t* start;  // of bytes: -offset · Σ values of the block
  const float* scale;    // scale · unit of A · unit of B
  const double* split;   // of each row, where the step is exact: ExactStep of double_sums.inc
  int64_t stride;
  int64_t block_stride;
};
struct DoubleRows {
  const double* values;
  const double* scale;
  const double* split;
  // Of each row, whether every acc + x·S is known to be a binary64 number; null: of none.
  const uint8_t* sums_are_exact;
  int64_t stride;
  int64_t block_stride;
};
// What the codes of B are: bytes, value + offset; words; or binary64. scales: of each scale code.
struct IntegerTable {
  const void* values;
  const float* scales;
  int bits;  // of a code
};
struct DoubleTable {
  const double* values;
  const double* scales;
};

// A format whose values are high · 2^shift + low, both of 16 bits, |low| <= 2^(shift-1); of a code
// low stands above high in one word of 32 bits.
// Rows of A so split; those of a tile lie together, in each array below a tile's blocks.
constexpr int split_tile_rows = 16;
struct SplitRows {
  const int16_t *high, *low;  // (tiles, pairs of k, split_tile_rows, 2)
  const uint64_t* low_pairs;  // (tiles, blocks, split_tile_rows): a bit for each pair with low != 0
  const uint8_t* low_rows;    // likewise: 0xFF where there is such a pair, or 0
  const double* scale;        // likewise: as of DoubleRows
  const float* scale_of_high;  // likewise: scale · 2^high_shift
  const float* high_norms;     // likewise: not less than the root of Σ high²
  const double* split;         // of each row: as of DoubleRows
  int64_t block_stride;        // blocks of a tile
};
struct SplitTable {
  const uint32_t* values;
  const double* scales;
  const float* scales_binary32;
  const float* high_norms;  // (blocks of the panel, norm_groups): as of SplitRows
};
struct SplitShape {
  int high_shift;      // of Σ high·high: the shifts of both formats
  int low_shift;       // of Σ high·low and Σ low·high: zero unless both formats are split
  bool high_is_short;  // |Σ high·high| < 2^24
  int sure_pairs;      // so many pairs of k, a power of two, have |Σ high·high| < 2^31
};

// Rows of A dequantized: code · scale, exact.
struct ChainRows {
  const float* values;
  int64_t stride;
};

// Of the datapath `aligned`: each element as value · 2^exponent. With groups of one product, value
// is its significand and exponent the sum of its own and its scale's; else value is in units of the
// format and exponent that of the scale alone. The significand of a scale is in value. Exponents of
// K/group for each row, or (blocks · block / group, panel_columns) for a panel.
struct AlignedRows {
  const int32_t* values;
  const int32_t* exponents;
  int64_t stride;  // of values
  int64_t exponent_stride;
};
struct AlignedPanel {
  const int32_t* values;  // (k, panel_columns)
  const int32_t* exponents;
};
struct AlignedShape {
  int64_t count;      // elements of K that there are
  int terms;          // T
  int group;          // G
  int fraction_bits;  // F
  int product_bits;   // fraction bits of a product of two values
  int e_zero;
  int kept_bits;  // of the result below its highest bit, by truncation; 0: rounded to nearest
  bool ftz;
};

// How a conversion rounds: the names of emu/codec.h.
enum class ElementRounding : uint8_t { rne, rna, rtz, stochastic };

// An element format for conversion.
struct EncodeFields {
  int emin;
  int mantissa_bits;
  int sign_bit;
  int max_code;  // of the magnitude
  bool twos_complement;
};

struct InstructionSet {
  // acc ← the steps of the blocks of a panel, in order, for the scales that integer_sums.inc and
  // double_sums.inc state. scratch: room for the decoded panel. Null where the instruction set has
  // no such kernel.
  void (*byte_panel)(const IntegerRows& a, int rows, const Panel& b, const IntegerTable& table,
                     Step step, void* acc, void* scratch);
  void (*word_panel)(const IntegerRows& a, int rows, const Panel& b, const IntegerTable& table,
                     Step step, void* acc, void* scratch);
  void (*double_panel)(const DoubleRows& a, int rows, const Panel& b, const DoubleTable& table,
                       Step step, void* acc, void* scratch);
  // As double_panel, by products of 16-bit integers. No ftz.
  void (*split_panel)(const SplitRows& a, int rows, const Panel& b, const SplitTable& table,
                      SplitShape shape, Step step, void* acc, void* scratch);
  // acc (rows, panel_columns) binary32 ← acc + a_k·b_k, k ascending, one rounding a step. table: of
  // each code; scales: of each scale code.
  void (*chain_panel)(const ChainRows& a, int rows, const Panel& b, const DoubleTable& table,
                      int64_t count, bool ftz, float* acc, void* scratch);
  void (*aligned_panel)(const AlignedRows& a, int rows, const AlignedPanel& b,
                        const AlignedShape& shape, float* acc, void* scratch);
  // The largest sum of a byte panel's block in a lane, as bits: 15 where 16-bit lanes add half of
  // the products.
  int byte_lane_bits;
  // values[i] = table[codes[i]], codes below 2^bits, of which the table has at least 16.
  void (*look_up)(const uint8_t* codes, int64_t count, const int8_t* table, int bits,
                  int8_t* values);
  // d[i] ← RNE32(c[i] + RNE32(acc[i] · factor)), NaN canonical; c may be null. For factors of which
  // kernel_engine.cc proves that binary64 serves.
  void (*scale_and_add)(const float* acc, double factor, const float* c, int count, float* d);
  // Conversion of whole blocks; the scale rule lies between the two. factors: p / scale, exact.
  void (*block_maxima)(const float* x, int blocks, int block, uint32_t* maxima);
  // random: a word for each element where the rounding is stochastic.
  void (*encode_blocks)(const float* x, int blocks, int block, const float* factors,
                        EncodeFields fields, ElementRounding rounding, const uint32_t* random,
                        uint8_t* codes);
  // Magnitude codes in order: each is the number of its block's `count` bounds, bits of binary32,
  // that lie below the magnitude. bounds (blocks, count).
  void (*encode_by_bounds)(const float* x, int blocks, int block, const uint32_t* bounds, int count,
                           int sign_bit, uint8_t* codes);
  // words[4·i + j] ← word j of Philox-4x32-10 with key = seed and counter first + i, for i < groups
  // rounded up to a multiple of 4.
  void (*random_words)(uint64_t seed, uint64_t first, int groups, uint32_t* words);
  // errors[i] ← Σ (code - |x|·factor)² of a block, in binary64: each term is rounded a few times,
  // the sum has a relative error below 2^-40.
  void (*block_errors)(const float* x, int blocks, int block, const float* factors,
                       EncodeFields fields, ElementRounding rounding, double* errors);
  // Whether the codes of one block stand for the same values under two factors, the second of which
  // is the first · 2^-distance.
  bool (*same_values)(const float* x, int block, float first, float second, int distance,
                      EncodeFields fields, ElementRounding rounding);

  // The rest of a model (emu/rest.h): one row, or one head, each.
  // acc (rows, panel_columns) binary32 ← acc + a_k·b_k, k ascending, one rounding a step; b (count,
  // panel_columns).
  void (*dense_panel)(const ChainRows& a, int rows, const float* b, int64_t count, float* acc);
  // y[i] ← f(x[i]); y may be x.
  void (*exp)(const float* x, int64_t count, float* y);
  void (*silu)(const float* x, int64_t count, float* y);
  void (*gelu)(const float* x, int64_t count, float* y);
  void (*add)(const float* x, const float* y, int64_t count, float* sum);
  void (*gated_silu)(const float* gate, const float* up, int64_t count, float* y);
  void (*rotate)(const float* cos, const float* sin, int64_t half, float* x);
  void (*rms_norm)(const float* x, const float* w, int64_t n, float eps, float* y);
  // bias may be null.
  void (*layer_norm)(const float* x, const float* w, const float* bias, int64_t n, float eps,
                     float* y);
  // p ← the softmax of RNE32(x·factor); p may be x.
  void (*softmax)(const float* x, int64_t n, float factor, float* p);
};

extern const InstructionSet portable_kernels, avx2_kernels, avx512_kernels, avx512vnni_kernels;

}  // namespace mxref::kernels
