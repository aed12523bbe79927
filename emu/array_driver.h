#pragma once
// Drives an array (emu/array_port.h) through a matrix product: operands cut into beats, tiles fed
// and drained. The engines `rtl` and `systemc` are this over their models.

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/array_port.h"
#include "emu/engine.h"

namespace mxref {

// An operand (rows, K) cut into beats: `height` rows at a time, block by block, so that one beat is
// contiguous. Rows that are missing in the last group, and lanes behind a block, are +0 codes;
// scales of missing rows are 1.
struct ArrayOperand {
  int height = 0;
  int lanes = 0;  // codes of a row in a beat
  int64_t rows = 0, K = 0, blocks = 0;
  const BlockFormat* format = nullptr;
  std::vector<uint8_t> codes;   // (groups, blocks, height, lanes)
  std::vector<uint8_t> scales;  // (groups, blocks, height)

  int64_t groups() const { return (rows + height - 1) / height; }
  std::span<const uint8_t> beat_codes(int64_t group, int64_t block) const {
    const size_t size = size_t(height) * size_t(lanes);
    return {codes.data() + size_t(group * blocks + block) * size, size};
  }
  std::span<const uint8_t> beat_scales(int64_t group, int64_t block) const {
    return {scales.data() + size_t(group * blocks + block) * size_t(height), size_t(height)};
  }
  int block_lanes(int64_t block) const {
    return int(std::min<int64_t>(format->block, K - block * format->block));
  }
};
// x (rows, K) with blocks of the format's own length, at most `lanes`.
ArrayOperand cut_into_beats(const MxTensor& x, int height, int lanes);

// Why an array of this design does not compute this product; empty where it does.
std::string array_refuses(const ArrayDesign& design, const BlockFormat& a, const BlockFormat& b,
                          int block, const Datapath& datapath);

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
