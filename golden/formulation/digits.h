#pragma once
// Sums too wide for float64, as digits to the base 2^16: value = Σ digits[j] · 2^(16·(lowest + j)).
// A digit is an int64 of any sign and may exceed the base: what is added digit by digit is carried
// only when the sum is rounded.

#include <ATen/core/Tensor.h>

#include <vector>

namespace mxref::formulation {

inline constexpr int digit_bits = 16;

struct Digits {
  int lowest = 0;
  std::vector<at::Tensor> digits;

  int end() const { return lowest + int(digits.size()); }
};

// x (float64, finite), of whose bits none lies below 2^(16·lowest); count: as many as the largest
// needs.
Digits digits_of(const at::Tensor& x, int lowest);

// Adds digit `index`, counted from 2^0; the digits grow to hold it.
void add_digit(Digits& sum, int index, const at::Tensor& digit);
void add(Digits& sum, const Digits& x);

// The sign of each value: -1, 0 or 1 (int64).
at::Tensor sign_of(const Digits& x);
// The value as a float64 of at most 48 bits, rounded to odd where it has more than 33.
at::Tensor round_to_odd(const Digits& x);

}  // namespace mxref::formulation
