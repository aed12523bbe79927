#pragma once
// The definition of a dot product with one thing done otherwise, by a construction of its own:
// every sum is an integer of 1,024 bits, rounded by the rule that is asked for.

#include <optional>

#include "emu/dot.h"

namespace mxref {

enum class Direction { nearest_even, nearest_away, toward_zero };

struct Variation {
  Direction rounding = Direction::nearest_even;
  // The product of two scales is a binary32 number before it meets the sum: Inf from 2^128 on, 0
  // below 2^-149.
  bool scale_product_in_binary32 = false;
  // A scale or an element that is NaN counts as the number that its bits would be.
  bool nan_scale_is_number = false;
  bool nan_element_is_number = false;
};

// As dot_ref(). Nothing for the kind aligned, and where the scales are not e8m0 but the variation
// is of those.
std::optional<uint32_t> varied_dot(const Variation& variation, const Datapath& datapath,
                                   uint32_t acc, const RowView& a, const RowView& b);

}  // namespace mxref
