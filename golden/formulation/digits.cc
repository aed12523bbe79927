#include "golden/formulation/digits.h"

#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "golden/formulation/rounding.h"

namespace mxref::formulation {
namespace {

constexpr int64_t base = int64_t(1) << digit_bits;

// The same value with every digit in 0 … base-1, and a last one, the sign: 0 or -1.
std::vector<at::Tensor> carried(const std::vector<at::Tensor>& digits) {
  constexpr int digits_of_a_carry = 4;  // no carry has more than 64 bits
  std::vector<at::Tensor> result;
  at::Tensor carry = at::zeros_like(digits.front());
  for (size_t j = 0; j < digits.size() + digits_of_a_carry; ++j) {
    const at::Tensor value = j < digits.size() ? digits[j] + carry : carry;
    result.push_back(value.bitwise_and(base - 1));
    carry = at::bitwise_right_shift(value, digit_bits);  // rounds down
  }
  result.push_back(carry);
  return result;
}

}  // namespace

Digits digits_of(const at::Tensor& x, int lowest) {
  const double largest = x.numel() > 0 ? x.abs().max().item<double>() : 0;
  Digits result{lowest, {}};
  at::Tensor rest = x * std::ldexp(1.0, -digit_bits * lowest);
  double largest_rest = std::ldexp(largest, -digit_bits * lowest);
  do {
    const at::Tensor above = (rest / double(base)).trunc();
    result.digits.push_back((rest - above * double(base)).to(at::kLong));
    rest = above;
    largest_rest = std::trunc(largest_rest / double(base));
  } while (largest_rest > 0);
  return result;
}

void add_digit(Digits& sum, int index, const at::Tensor& digit) {
  if (sum.digits.empty()) sum.lowest = index;
  while (sum.lowest > index) {
    sum.digits.insert(sum.digits.begin(), at::zeros_like(digit));
    --sum.lowest;
  }
  while (sum.end() <= index) sum.digits.push_back(at::zeros_like(digit));
  at::Tensor& place = sum.digits[size_t(index - sum.lowest)];
  place = place + digit;
}

void add(Digits& sum, const Digits& x) {
  for (size_t j = 0; j < x.digits.size(); ++j) add_digit(sum, x.lowest + int(j), x.digits[j]);
}

at::Tensor sign_of(const Digits& x) {
  const std::vector<at::Tensor> digits = carried(x.digits);
  at::Tensor any = at::zeros_like(digits.front());
  for (size_t j = 0; j + 1 < digits.size(); ++j) any = any.bitwise_or(digits[j]);
  return at::where(digits.back() < 0, digits.back(), (any != 0).to(at::kLong));
}

at::Tensor round_to_odd(const Digits& x) {
  // Of the magnitude digits are taken from the highest on, until 33 bits are there.
  constexpr int64_t enough = int64_t(1) << 32;
  const at::Tensor sign = sign_of(x);
  std::vector<at::Tensor> magnitude;
  for (const at::Tensor& digit : x.digits) magnitude.push_back(digit * sign);
  magnitude = carried(magnitude);
  at::Tensor taken = at::zeros_like(sign), lost = at::zeros_like(sign);
  at::Tensor place = at::zeros_like(sign);  // of taken's last digit
  for (int j = int(magnitude.size()) - 2; j >= 0; --j) {
    const at::Tensor& digit = magnitude[size_t(j)];
    const at::Tensor open = taken < enough;
    lost = lost.bitwise_or(at::where(open, at::zeros_like(digit), digit));
    taken = at::where(open, taken * base + digit, taken);
    place = at::where(open, at::zeros_like(place) + (x.lowest + j), place);
  }
  const at::Tensor odd = taken.bitwise_or((lost != 0).to(at::kLong));
  return (odd * sign).to(at::kDouble) * power_of_two(place * digit_bits);
}

}  // namespace mxref::formulation
