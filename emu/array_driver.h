#pragma once
// Drives an array (emu/array_port.h) through a matrix product: operands cut into beats, tiles fed
// and drained. The engines `rtl` and `systemc` are this over their models.

#include <cstdint>
#include <span>
#include <vector>

#include "emu/array_port.h"
#include "emu/engine.h"

namespace mxref {

// An operand (rows, K) cut into beats: `lanes` rows at a time, block by block, so that one beat is
// contiguous. Rows that are missing in the last group, and elements that are missing in a row's
// last block, are +0 codes; scales of missing rows are 2^0.
struct ArrayOperand {
  int lanes = 0;
  int64_t rows = 0, blocks = 0;
  uint8_t format = 0;           // a number of array_formats
  std::vector<uint8_t> codes;   // (groups, blocks, lanes, 32)
  std::vector<uint8_t> scales;  // (groups, blocks, lanes) e8m0

  int64_t groups() const { return (rows + lanes - 1) / lanes; }
  std::span<const uint8_t> beat_codes(int64_t group, int64_t block) const {
    const size_t size = size_t(lanes) * array_block;
    return {codes.data() + size_t(group * blocks + block) * size, size};
  }
  std::span<const uint8_t> beat_scales(int64_t group, int64_t block) const {
    return {scales.data() + size_t(group * blocks + block) * size_t(lanes), size_t(lanes)};
  }
};
// x (rows, K) with blocks of 32.
ArrayOperand cut_into_beats(const MxTensor& x, int lanes);

// Why no array computes this product; empty where it does.
std::string array_refuses(const BlockFormat& a, const BlockFormat& b, int block,
                          const Datapath& datapath);
// The number of a format in array_formats. Throws UsageError where the array does not have it.
uint8_t array_format(const BlockFormat& format);

// Tiles [first, last) of a product; tile t is group t / b.groups() of a and t % b.groups() of b.
struct TileRange {
  int64_t first = 0, last = 0;
};
// a (M,K) cut by the array's rows, b (N,K) by its columns, c (M,N) binary32 bits or empty: resets
// the array and computes those tiles of d (M,N); other parts of d are left alone. Returns the
// cycles from the reset to the last result. Throws std::runtime_error where the array stops
// answering.
int64_t run_tiles(ArrayPort& array, const ArrayOperand& a, const ArrayOperand& b, TileRange tiles,
                  std::span<const float> c, std::span<float> d);

}  // namespace mxref
