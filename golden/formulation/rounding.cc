#include "golden/formulation/rounding.h"

#include <ATen/ops/frexp.h>
#include <ATen/ops/where.h>
#include <ATen/TensorOperators.h>

#include <bit>

namespace mxref::formulation {
namespace {

constexpr int binary32_digits = 24;

at::Tensor to_binary32(const at::Tensor& x) { return x.to(at::kFloat).to(at::kDouble); }

}  // namespace

at::Tensor power_of_two(const at::Tensor& exponent) {
  return ((exponent + 1023) * (int64_t(1) << 52)).view(at::kDouble);  // the bits of a float64
}

at::Tensor add_rounding_once(const at::Tensor& acc, const at::Tensor& t) {
  // Knuth's two-sum: acc + t = sum + error, exactly.
  const at::Tensor sum = acc + t;
  const at::Tensor t_part = sum - acc;
  const at::Tensor error = (acc - (sum - t_part)) + (t - t_part);
  // sum is rounded to odd instead of to nearest: where bits were lost and its last bit is 0, the
  // neighbour on the error's side is taken. What is odd at 53 bits is never a tie at 24 bits, and
  // lies on the right side of every tie: the second rounding is then the only one that counts.
  const at::Tensor bits = sum.view(at::kLong);
  const at::Tensor lost = (error != 0) & ((bits & 1) == 0);
  const at::Tensor outward = (error > 0) == (sum > 0);
  const at::Tensor odd = bits + lost.to(at::kLong) * (outward.to(at::kLong) * 2 - 1);
  const at::Tensor rounded = to_binary32(odd.view(at::kDouble));
  return at::where(acc.isinf(), acc, rounded);
}

at::Tensor divide_rounding_once(const at::Tensor& acc, Prescale p_a, Prescale p_b) {
  // |acc| = significand · 2^(exponent - 24) with 2^23 ≤ significand < 2^24, unless it is zero.
  const auto [fraction, exponent] = at::frexp(at::where(acc.isinf(), acc.new_zeros({}), acc));
  const at::Tensor significand = (fraction.abs() * double(1 << binary32_digits)).to(at::kLong);
  // |acc| / p = significand · multiplier / divisor · 2^(exponent - 24). The dividend is moved to
  // 61 or 62 bits and the divisor to 32, so that the quotient has 29 to 31.
  const int64_t multiplier = int64_t(p_a.denominator) * p_b.denominator;
  const int64_t divisor = int64_t(p_a.numerator) * p_b.numerator;
  const int dividend_shift = 62 - binary32_digits - std::bit_width(uint64_t(multiplier));
  const int divisor_shift = 32 - std::bit_width(uint64_t(divisor));
  const at::Tensor dividend = significand * (multiplier << dividend_shift);
  const int64_t wide_divisor = divisor << divisor_shift;
  const at::Tensor quotient = dividend.div(wide_divisor, "floor");
  const at::Tensor inexact = dividend != quotient * wide_divisor;
  const at::Tensor odd = quotient | inexact.to(at::kLong);  // rounded to odd, as above
  const at::Tensor magnitude =
      odd.to(at::kDouble) *
      power_of_two(exponent.to(at::kLong) + (divisor_shift - dividend_shift - binary32_digits));
  return at::where(acc.isinf(), acc, to_binary32(magnitude).copysign(acc));
}

}  // namespace mxref::formulation
