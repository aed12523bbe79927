#pragma once
// A row of K elements, block by block.

#include <algorithm>
#include <cstdint>

#include "emu/block.h"

namespace mxref::kernels {

// Calls convert(x, count, first, codes, scales) for runs of `count` whole blocks, at most `batch`,
// the first of their elements being x[first] of the row; the short last block of a row is padded
// with zeros in a copy.
template <typename Convert>
void for_row_blocks(const float* x, int64_t K, int block, int64_t batch, uint8_t* codes,
                    uint8_t* scales, const Convert& convert) {
  const int64_t whole = K / block;
  for (int64_t i = 0; i < whole; i += batch)
    convert(x + i * block, int(std::min(batch, whole - i)), i * block, codes + i * block,
            scales + i);
  const int64_t begin = whole * block, rest = K - begin;
  if (rest == 0) return;
  float padded_x[block_lengths.back()] = {};
  uint8_t padded_codes[block_lengths.back()];
  std::copy_n(x + begin, rest, padded_x);
  convert(padded_x, 1, begin, padded_codes, scales + whole);
  std::copy_n(padded_codes, rest, codes + begin);
}

}  // namespace mxref::kernels
