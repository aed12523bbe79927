#pragma once
// One block pair and its accumulation: the definition, in integers (ARITHMETIC.md §3, §4).

#include <cstdint>
#include <span>

#include "emu/datapaths.h"
#include "emu/formats.h"

namespace mxref {

// S = Σ of the exact products of one block pair, as units · 2^unit_log2.
struct BlockSum {
  __int128 units = 0;
  int unit_log2 = 0;
  bool is_nan = false;
  bool has_nonzero_product = false;
};
// a, b: codes of equal count. Elements of a short block that are missing are +0 and need not be
// given.
BlockSum block_sum(const ElementFormat& format_a, std::span<const uint8_t> a,
                   const ElementFormat& format_b, std::span<const uint8_t> b);

// One step of a datapath: acc (binary32 bits) meets one block pair with its e8m0 scales → acc.
uint32_t accumulate_block(const Datapath& datapath, uint32_t acc, const BlockSum& sum,
                          uint8_t scale_a, uint8_t scale_b);

}  // namespace mxref
