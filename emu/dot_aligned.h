#pragma once
// The datapaths of tensor cores (ARITHMETIC.md §4, "aligned in detail").

#include <vector>

#include "emu/dot.h"

namespace mxref {

// A NaN result of this family, and no other.
inline constexpr uint32_t aligned_nan = 0x7FFFFFFF;

// A finite term of a step: ±magnitude · 2^unit_log2, aligned by `exponent`, which is not
// normalised.
struct AlignedTerm {
  int exponent = 0;
  bool negative = false;
  unsigned __int128 magnitude = 0;
  int unit_log2 = 0;
};
// One step. Where it is NaN or infinite not all terms need be there.
struct AlignedStep {
  std::vector<AlignedTerm> terms;  // the accumulator's first, then those of the groups
  bool is_nan = false;
  bool has_infinity[2] = {false, false};  // +, -

  void add_infinity(bool negative) { has_infinity[negative] = true; }
  int greatest_exponent() const;
};
// acc and the products `first` … `first + T` of a row.
AlignedStep aligned_step(const Alignment& alignment, uint32_t acc, const RowView& a,
                         const RowView& b, size_t first);
// |term| in units of 2^unit_log2, truncated.
unsigned __int128 truncated(const AlignedTerm& term, int unit_log2);

// As dot_ref(), for a datapath of the kind aligned whose group divides the block length.
uint32_t aligned(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b);

}  // namespace mxref
