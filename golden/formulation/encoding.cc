#include "golden/formulation/encoding.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <array>
#include <string>

#include "golden/formulation/rounding.h"

namespace mxref::formulation {
namespace {

// A quotient is taken with so many bits below the code's last place, and whether more follow: the
// fraction that a stochastic rounding compares, and enough for the others.
constexpr int fraction_bits = 32;
constexpr int64_t one = int64_t(1) << fraction_bits, half = one / 2;

at::Tensor shifted_right(const at::Tensor& x, const at::Tensor& by) {
  return at::bitwise_right_shift(x, by);
}

// Of an integer above zero: exact, as its lower bits do not matter where it has more than 43.
at::Tensor floor_log2_of_integer(const at::Tensor& x) {
  constexpr int below = 20;
  const at::Tensor high = at::bitwise_right_shift(x, below);
  return at::where(high > 0, floor_log2(high.to(at::kDouble)) + below,
                   floor_log2(x.bitwise_and((int64_t(1) << below) - 1).to(at::kDouble)));
}

// Which quotients q + fraction/2^32 (and more, where inexact) are rounded up.
at::Tensor rounds_up(const Rounding& rounding, const at::Tensor& q, const at::Tensor& fraction,
                     const at::Tensor& inexact, const at::Tensor& random) {
  if (rounding.name == "rne")
    return (fraction > half) | ((fraction == half) & (inexact | (q.bitwise_and(1) == 1)));
  if (rounding.name == "rna") return fraction >= half;
  if (rounding.name == "rtz") return at::zeros_like(inexact);
  if (rounding.name == "stochastic") return random < fraction;
  throw UsageError("the torch formulation has no rounding '" + std::string(rounding.name) + "'");
}

}  // namespace

Significand significand_of(const at::Tensor& x, int bits) {
  const at::Tensor exponent = floor_log2(x) - (bits - 1);
  return {(x * power_of_two(-exponent)).to(at::kLong), exponent};
}

at::Tensor encode(const ElementFormat& f, const Quotient& x, const Rounding& rounding,
                  const at::Tensor& random) {
  const at::Tensor is_zero = x.numerator == 0;
  const at::Tensor numerator = at::where(is_zero, x.numerator + 1, x.numerator);
  // The dividend is moved to 62 bits, so that the quotient has at least 34, no fewer than a code's
  // significand and the fraction.
  const at::Tensor shift = 61 - floor_log2_of_integer(numerator);
  const at::Tensor dividend = at::bitwise_left_shift(numerator, shift);
  const at::Tensor quotient = dividend.div(x.denominator, "floor");
  const at::Tensor exponent = x.exponent - shift;
  const at::Tensor top = floor_log2_of_integer(quotient) + exponent;
  const at::Tensor unit = top.clamp_min(f.emin()) - f.mantissa_bits;  // log2 of the last place
  const at::Tensor below = (unit - exponent - fraction_bits).clamp(0, 62);
  const at::Tensor kept = shifted_right(quotient, below);
  const at::Tensor inexact =
      (at::bitwise_left_shift(kept, below) != quotient) | (quotient * x.denominator != dividend);
  const at::Tensor q = at::bitwise_right_shift(kept, fraction_bits);
  const at::Tensor up = rounds_up(rounding, q, kept.bitwise_and(one - 1), inexact, random);
  // q holds the hidden bit of a normal number: a carry moves into the exponent by itself.
  const at::Tensor code =
      (unit - f.unit_log2()) * (int64_t(1) << f.mantissa_bits) + q + up.to(at::kLong);
  const at::Tensor largest = at::full_like(code, int64_t(f.max_code()));
  const at::Tensor in_range = at::where((top > f.emax()) | (code > largest), largest, code);
  return at::where(is_zero, at::zeros_like(code), in_range);
}

at::Tensor random_words(uint64_t seed, const at::Tensor& index) {
  constexpr int64_t low_word = 0xFFFFFFFF;
  const auto low = [](const at::Tensor& x) { return x.bitwise_and(low_word); };
  const auto high = [&](const at::Tensor& x) { return low(at::bitwise_right_shift(x, 32)); };
  const at::Tensor group = at::bitwise_right_shift(index, 2);
  const at::Tensor zero = at::zeros_like(group);
  std::array<at::Tensor, 4> counter{low(group), high(group), zero, zero};
  int64_t key[2] = {int64_t(seed & low_word), int64_t(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    // Products of 64 bits without sign: int64 wraps to the same bits.
    const at::Tensor x = counter[0] * int64_t(0xD2511F53), y = counter[2] * int64_t(0xCD9E8D57);
    counter = {high(y).bitwise_xor(counter[1]).bitwise_xor(key[0]), low(y),
               high(x).bitwise_xor(counter[3]).bitwise_xor(key[1]), low(x)};
    key[0] = (key[0] + 0x9E3779B9) & low_word;
    key[1] = (key[1] + 0xBB67AE85) & low_word;
  }
  return at::stack({counter[0], counter[1], counter[2], counter[3]})
      .gather(0, index.bitwise_and(3).unsqueeze(0))
      .squeeze(0);
}

}  // namespace mxref::formulation
