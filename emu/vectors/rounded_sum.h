#pragma once
// What happens where a sum of two exact numbers becomes binary32: for the report on which cases a
// set of golden vectors reaches.

#include <vector>

#include "emu/datapaths.h"
#include "emu/dot.h"

namespace mxref {

struct RoundedSum {
  bool negative = false;
  bool is_zero = false;    // the exact sum
  bool cancels = false;    // it is zero, its parts are not
  int cancelled_bits = 0;  // how far the sum lies below the greater part
  bool is_inexact = false;
  bool is_tie = false;        // halfway between two numbers
  bool above_half = false;    // of two numbers the farther one from zero is nearer
  bool is_up = false;         // rounded away from zero
  bool carries = false;       // into the next binade
  bool below_normal = false;  // the exact sum lies below the least normal number
  bool is_greatest =
      false;            // the result is the greatest finite number of its bits, or its opposite
  uint32_t result = 0;  // before ftz; an exact zero is +0
  bool keeps_first = false;   // the second part is not zero, and the result is the first
  bool keeps_second = false;  // likewise
};

// a, b: one block each. Every rounding of finite numbers, in order: of fused and exact one, of
// blockwise two, of sequential one an element, of aligned one a step. Ends before what is not
// finite.
std::vector<RoundedSum> rounded_sums(const Datapath& datapath, uint32_t acc, const RowView& a,
                                     const RowView& b);

}  // namespace mxref
