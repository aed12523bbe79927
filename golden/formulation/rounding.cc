#include "golden/formulation/rounding.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/frexp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <bit>
#include <limits>

namespace mxref::formulation {
namespace {

constexpr int float64_bias = 1023, float64_fraction_bits = 52;
constexpr int binary32_emin = -126;
constexpr double least_normal = 0x1p-126, beyond_binary32 = 0x1p128;

at::Tensor constant(const at::Tensor& like, double value) {
  return at::full({}, value, like.options());
}

// log2 of the last place that x has in binary32 with so many fraction bits.
at::Tensor last_place(const at::Tensor& x, int fraction_bits) {
  return floor_log2(x).clamp_min(binary32_emin) - fraction_bits;
}

// What x was rounded to, as binary32 has it: Inf where that is too large; x itself where it is NaN
// or Inf.
at::Tensor with_range(const at::Tensor& rounded, const at::Tensor& x) {
  const at::Tensor in_range =
      at::where(rounded.abs() < beyond_binary32, rounded, constant(x, infinity).copysign(x));
  return at::where(x.isfinite(), in_range, x);
}

}  // namespace

at::Tensor power_of_two(const at::Tensor& exponent) {
  return ((exponent + float64_bias) * (int64_t(1) << float64_fraction_bits)).view(at::kDouble);
}

at::Tensor floor_log2(const at::Tensor& x) {
  const at::Tensor exponent_and_sign =
      at::bitwise_right_shift(x.contiguous().view(at::kLong), float64_fraction_bits);
  return exponent_and_sign.bitwise_and(2047) - float64_bias;
}

Exact two_sum(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor sum = a + b;
  const at::Tensor b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

at::Tensor round_to_odd(const Exact& x) {
  if (!x.low.defined()) return x.high;
  // high is to the nearest: where its last bit is 0 the neighbour on the side of low is odd.
  const at::Tensor bits = x.high.view(at::kLong);
  const at::Tensor lost = (x.low != 0) & (bits.bitwise_and(1) == 0);
  const at::Tensor outward = (x.low > 0) == (x.high > 0);
  return (bits + lost.to(at::kLong) * (outward.to(at::kLong) * 2 - 1)).view(at::kDouble);
}

at::Tensor to_binary32(const at::Tensor& x) {
  // Beside this number float64's last place is that of the result, so its own addition rounds.
  const at::Tensor large =
      power_of_two(last_place(x, binary32_digits - 1) + float64_fraction_bits) * 1.5;
  return with_range(((x + large) - large).copysign(x), x);
}

at::Tensor truncate_to_binary32(const at::Tensor& x, int fraction_bits) {
  const at::Tensor unit = last_place(x, fraction_bits);
  return with_range((x * power_of_two(-unit)).trunc() * power_of_two(unit), x);
}

at::Tensor flush_subnormals(const at::Tensor& x) {
  return at::where(x.abs() < least_normal, at::zeros_like(x).copysign(x), x);
}

at::Tensor add_rounding_once(const at::Tensor& acc, const Exact& t) {
  Exact sum = two_sum(acc, t.high);
  if (t.low.defined())
    // Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
    // rounding to odd" (IEEE Transactions on Computers 57, 2008): the small parts are added to odd.
    sum = two_sum(sum.high, round_to_odd(two_sum(sum.low, t.low)));
  const at::Tensor rounded = to_binary32(round_to_odd(sum));
  return at::where(acc.isfinite() & t.high.isfinite(), rounded, acc + t.high);
}

at::Tensor divide_rounding_once(const at::Tensor& x, Prescale p_a, Prescale p_b) {
  // |x| = significand · 2^(exponent - 24) with 2^23 ≤ significand < 2^24, unless it is zero.
  const at::Tensor finite = at::where(x.isfinite(), x, constant(x, 0));
  const auto [fraction, exponent] = at::frexp(finite);
  const at::Tensor significand = (fraction.abs() * double(1 << binary32_digits)).to(at::kLong);
  // |x| / p = significand · multiplier / divisor · 2^(exponent - 24). The dividend is moved to
  // 61 or 62 bits and the divisor to 32, so that the quotient has 29 to 31.
  const int64_t multiplier = int64_t(p_a.denominator) * p_b.denominator;
  const int64_t divisor = int64_t(p_a.numerator) * p_b.numerator;
  const int dividend_shift = 62 - binary32_digits - std::bit_width(uint64_t(multiplier));
  const int divisor_shift = 32 - std::bit_width(uint64_t(divisor));
  const at::Tensor dividend = significand * (multiplier << dividend_shift);
  const int64_t wide_divisor = divisor << divisor_shift;
  const at::Tensor quotient = dividend.div(wide_divisor, "floor");
  const at::Tensor inexact = dividend != quotient * wide_divisor;
  const at::Tensor odd = quotient.bitwise_or(inexact.to(at::kLong));  // rounded to odd
  const at::Tensor magnitude =
      odd.to(at::kDouble) *
      power_of_two(exponent.to(at::kLong) + (divisor_shift - dividend_shift - binary32_digits));
  return at::where(x.isfinite(), to_binary32(magnitude.copysign(x)), x);
}

at::Tensor multiply_rounding_once(const at::Tensor& acc, const at::Tensor& g) {
  // 24 bits times the upper 26 and the lower 22 bits of g: both are exact in float64.
  constexpr int64_t upper_bits = ~((int64_t(1) << 27) - 1);
  const at::Tensor upper = g.contiguous().view(at::kLong).bitwise_and(upper_bits).view(at::kDouble);
  const at::Tensor rounded =
      to_binary32(round_to_odd(two_sum(acc * upper, acc * (g - upper).copysign(g))));
  return at::where(acc.isfinite(), rounded, acc);
}

at::Tensor binary32_of(const at::Tensor& x, uint32_t nan_bits) {
  const at::Tensor magnitude = x.abs();
  const at::Tensor normal = magnitude.to(at::kFloat).view(at::kInt);
  const at::Tensor subnormal =  // counts units of 2^-149
      (at::where(magnitude < least_normal, magnitude, constant(x, 0)) * 0x1p149).to(at::kInt);
  const at::Tensor bits = at::where(magnitude < least_normal, subnormal, normal);
  const at::Tensor sign = x.signbit().to(at::kInt) * std::numeric_limits<int32_t>::min();
  const at::Tensor nan = at::full({}, int32_t(nan_bits), at::kInt);
  return at::where(x.isnan(), nan, bits.bitwise_or(sign)).view(at::kFloat);
}

at::Tensor float64_of(const at::Tensor& binary32) {
  const at::Tensor bits = binary32.contiguous().view(at::kInt);
  const at::Tensor magnitude = bits.bitwise_and(std::numeric_limits<int32_t>::max());
  const at::Tensor subnormal = magnitude.to(at::kDouble) * double(0x1p-149);
  const at::Tensor value = at::where(magnitude < 1 << (binary32_digits - 1), subnormal,
                                     magnitude.view(at::kFloat).to(at::kDouble));
  return at::where(bits < 0, value.neg(), value);
}

}  // namespace mxref::formulation
