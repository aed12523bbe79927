#pragma once
// Rounding of exact quotients to element codes, by int64 tensors (ARITHMETIC.md §2 step 4).

#include <ATen/core/Tensor.h>

#include "emu/codec.h"

namespace mxref::formulation {

// x = significand · 2^exponent in int64, 2^(bits-1) ≤ significand < 2^bits, of a float64 above zero
// that has no more bits.
struct Significand {
  at::Tensor significand, exponent;
};
Significand significand_of(const at::Tensor& x, int bits);

// The magnitudes numerator / denominator · 2^exponent (int64): 0 ≤ numerator < 2^40,
// 0 < denominator < 2^28, of tensors that broadcast.
struct Quotient {
  at::Tensor numerator, denominator, exponent;
};

// Magnitude codes; above the largest finite number they saturate. random: the word of each element,
// where the rounding is stochastic. Throws UsageError on a rounding that is not computed here.
at::Tensor encode(const ElementFormat& f, const Quotient& x, const Rounding& rounding,
                  const at::Tensor& random = {});

// The random words of the elements with these row-major indices (Philox-4x32-10).
at::Tensor random_words(uint64_t seed, const at::Tensor& index);

}  // namespace mxref::formulation
