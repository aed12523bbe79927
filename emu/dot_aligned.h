#pragma once
// The datapaths of tensor cores (ARITHMETIC.md §4, "aligned in detail").

#include "emu/dot.h"

namespace mxref {

// A NaN result of this family, and no other.
inline constexpr uint32_t aligned_nan = 0x7FFFFFFF;

// As dot_ref(), for a datapath of the kind aligned whose group divides the block length.
uint32_t aligned(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b);

}  // namespace mxref
