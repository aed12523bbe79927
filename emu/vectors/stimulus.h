#pragma once
// Random codes, scales and accumulators in which the cases that go wrong are frequent: shared by
// golden vectors, the crosscheck of engines and the bench of the RTL.

#include <cstdint>
#include <random>
#include <span>

#include "emu/dot.h"
#include "emu/formats.h"

namespace mxref {

// +0 but for the first code, the greatest power of two, and the last, the least number above zero,
// each of its sign.
void put_power_and_least(const ElementFormat& format, bool negative_power, bool negative_least,
                         std::span<uint8_t> codes);
// The E8M0 scale of B under which a sum, not zero, lies in the binade below the least normal
// number.
uint8_t scale_below_normal(const BlockSum& sum, uint8_t scale_a);

class Stimulus {
 public:
  // One in `nan_every` blocks, scales and accumulators is NaN: rare where results are chained,
  // because a NaN stays; 0: none, and scales near 2^0 alone, so that a chain of any length stays
  // finite. The same seed gives the same draws on every machine.
  explicit Stimulus(uint64_t seed, uint64_t nan_every = 32)
      : random_(seed), nan_every_(nan_every) {}

  // One block: uniform codes, a constant, one element alone, subnormal or zero elements, the
  // largest beside the least, two elements far apart, Inf and NaN.
  void codes(const ElementFormat& format, std::span<uint8_t> block);
  // Mostly near 2^0; the rest such that two e8m0 scales meet around binary32's limits, the ends of
  // the format, NaN.
  uint8_t scale(const ScaleFormat& format = e8m0_scale);
  // An accumulator for the block sum that it is to meet: near it, at a tie with it, cancelling it,
  // any bits, the special values of binary32.
  uint32_t accumulator(const BlockSum& sum, uint8_t scale_a, uint8_t scale_b,
                       const ScaleFormat& format_a = e8m0_scale,
                       const ScaleFormat& format_b = e8m0_scale);

  // A binary32 of random sign and fraction with this exponent, subnormal or clamped at the ends.
  uint32_t with_exponent(int exponent_log2);

  bool stays_finite() const { return nan_every_ == 0; }
  uint64_t below(uint64_t n) { return random_() % n; }
  uint64_t word() { return random_(); }

 private:
  bool draws_nan() { return !stays_finite() && below(nan_every_) == 0; }
  uint32_t with_sign(uint32_t magnitude);  // a random one

  std::mt19937_64 random_;
  uint64_t nan_every_;
};

}  // namespace mxref
