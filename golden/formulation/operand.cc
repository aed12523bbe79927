#include "golden/formulation/operand.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <bit>
#include <cmath>
#include <limits>

namespace mxref::formulation {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double element_value(const ElementFormat& f, int code) {
  const bool negative = code >> (f.bits() - 1) != 0;
  if (f.sign == Sign::twos_complement)
    return std::ldexp(code - (negative ? 1 << f.bits() : 0), 1 - f.bias - f.mantissa_bits);
  const int exponent = (code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
  const int mantissa = code & ((1 << f.mantissa_bits) - 1);
  const double significand = std::ldexp(mantissa, -f.mantissa_bits) + (exponent > 0);
  double value = std::ldexp(significand, std::max(exponent, 1) - f.bias);
  if (exponent == (1 << f.exponent_bits) - 1) {
    const bool all_ones = mantissa == (1 << f.mantissa_bits) - 1;
    if (f.specials == Specials::nan_all_ones && all_ones) value = nan;
    if (f.specials == Specials::inf_and_nan) value = mantissa == 0 ? infinity : nan;
  }
  return negative ? -value : value;
}

// max(floor(log2 |v|), exponent of the least normal number), at most that of the largest; of what
// is not finite it has no meaning.
int element_exponent(const ElementFormat& f, int code) {
  const int highest =
      f.specials == Specials::inf_and_nan ? (1 << f.exponent_bits) - 2 : (1 << f.exponent_bits) - 1;
  const double value = std::abs(element_value(f, code));
  const int exponent = value > 0 && std::isfinite(value) ? std::ilogb(value) : 1 - f.bias;
  return std::clamp(exponent, 1 - f.bias, highest - f.bias);
}

template <typename T, typename Function>
at::Tensor table(int size, at::ScalarType type, Function entry) {
  at::Tensor result = at::empty({size}, type);
  for (int code = 0; code < size; ++code) result.data_ptr<T>()[code] = entry(code);
  return result;
}

// Elements of many bits are split in two halves, each of whole units of its own.
constexpr int most_bits_of_a_part = 22;
int bits_of_part(const ElementFormat& f) {
  const int bits = f.magnitude_units_bits();
  return bits <= most_bits_of_a_part ? bits : (bits + 1) / 2;
}

at::Tensor bytes_of(const std::vector<uint8_t>& bytes, int64_t rows, int64_t cols, int64_t begin,
                    int64_t end) {
  return at::from_blob(const_cast<uint8_t*>(bytes.data()), {rows, cols}, at::kByte)
      .narrow(0, begin, end - begin)
      .to(at::kLong);
}

}  // namespace

at::Tensor element_values(const ElementFormat& f) {
  return table<double>(1 << f.bits(), at::kDouble, [&](int c) { return element_value(f, c); });
}

at::Tensor element_exponents(const ElementFormat& f) {
  return table<int64_t>(1 << f.bits(), at::kLong, [&](int c) { return element_exponent(f, c); });
}

at::Tensor scale_values(const ScaleFormat& f) {
  return table<double>(256, at::kDouble, [&](int code) {
    if (f.number) return element_value(*f.number, code & 127);
    return code == 255 ? nan : std::ldexp(1.0, code - 127);
  });
}

at::Tensor scale_exponents(const ScaleFormat& f) {
  return table<int64_t>(256, at::kLong, [&](int code) {
    return f.number ? element_exponent(*f.number, code & 127) : code - 127;
  });
}

Operand::Operand(const MxTensor& q, int64_t begin, int64_t end, bool with_exponents) {
  const ElementFormat& element = q.element();
  const at::Tensor codes = bytes_of(q.codes, q.rows(), q.cols(), begin, end);
  const at::Tensor block_of = at::arange(q.cols(), at::kLong).div(q.block(), "floor");
  const at::Tensor scale_codes =
      bytes_of(q.scales, q.rows(), q.blocks_per_row(), begin, end).index_select(1, block_of);
  const at::Tensor of_codes = element_values(element);
  const at::Tensor scales = scale_values(*q.format().scale).take(scale_codes);
  values = of_codes.take(codes) * scales;
  if (with_exponents) {
    element_exponent = element_exponents(element).take(codes);
    scale_exponent = scale_exponents(*q.format().scale).take(scale_codes);
  }

  const at::Tensor is_finite = values.isfinite();
  finite_ = at::where(is_finite, values, at::zeros_like(values));
  if (!is_finite.all().item<bool>())
    specials = at::where(is_finite, at::zeros_like(values), values);
  if (bits_of_part(element) == element.magnitude_units_bits()) {
    parts = {finite_};
    return;
  }
  const double unit_of_high = std::ldexp(1.0, element.unit_log2() + bits_of_part(element));
  const at::Tensor high = (of_codes / unit_of_high).trunc().take(codes) * unit_of_high * scales;
  const at::Tensor high_part = at::where(is_finite, high, at::zeros_like(high));
  parts = {high_part, finite_ - high_part};
}

int bits_of_sum(const ElementFormat& a, const ElementFormat& b, int count) {
  const int sums = bits_of_part(a) < a.magnitude_units_bits() ||
                   bits_of_part(b) < b.magnitude_units_bits();  // two of equal weight are added
  return bits_of_part(a) + bits_of_part(b) + int(std::bit_width(unsigned(count) - 1)) + sums;
}

Exact sum_of_products(const Parts& a, const Parts& b) {
  const auto product = [](const at::Tensor& x, const at::Tensor& y) {
    return at::bmm(x, y.transpose(1, 2)) + 0.0;  // -0 becomes +0
  };
  const Parts &longer = a.size() < b.size() ? b : a, &shorter = a.size() < b.size() ? a : b;
  const auto in_order = [&](size_t i, size_t j) {
    return a.size() < b.size() ? product(shorter[j], longer[i]) : product(longer[i], shorter[j]);
  };
  if (longer.size() == 1) return {in_order(0, 0)};
  if (shorter.size() == 1) return two_sum(in_order(0, 0), in_order(1, 0));
  // Of descending weight; what is left of the first sum is a multiple of the least weight below
  // 2^53 of it, so that the second addition is exact.
  const Exact upper = two_sum(in_order(0, 0), in_order(0, 1) + in_order(1, 0));
  return two_sum(upper.high, upper.low + in_order(1, 1));
}

at::Tensor count_of_nonzero_products(const at::Tensor& a, const at::Tensor& b) {
  const auto nonzero = [](const at::Tensor& x) { return (x != 0).to(at::kDouble); };
  return at::bmm(nonzero(a), nonzero(b).transpose(1, 2));
}

at::Tensor special_sums(const Operand& a, const Operand& b, int64_t first, int64_t count) {
  if (!a.specials.defined() && !b.specials.defined()) return {};
  struct Side {
    at::Tensor is_nan;          // (R): a NaN among its elements
    at::Tensor sign, infinite;  // (R,count): of every number -1, 0, 1; of Inf, else 0
  };
  const auto side = [&](const Operand& operand) {
    const at::Tensor values = operand.values.narrow(1, first, count);
    const at::Tensor number = at::where(values.isnan(), at::zeros_like(values), values).sign();
    return Side{values.isnan().any(1), number, number * values.isinf().to(at::kDouble)};
  };
  const Side x = side(a), y = side(b);
  const auto products = [](const at::Tensor& u, const at::Tensor& v) { return at::mm(u, v.t()); };
  // Products that are Inf: all of them, and those above zero less those below.
  const at::Tensor x_finite = x.sign - x.infinite;
  const at::Tensor all =
      products(x.infinite.abs(), y.sign.abs()) + products(x_finite.abs(), y.infinite.abs());
  const at::Tensor signed_sum = products(x.infinite, y.sign) + products(x_finite, y.infinite);
  const at::Tensor inf_times_zero = products(x.infinite.abs(), (y.sign == 0).to(at::kDouble)) +
                                    products((x.sign == 0).to(at::kDouble), y.infinite.abs());
  const at::Tensor is_nan = x.is_nan.unsqueeze(1) | y.is_nan.unsqueeze(0) | (inf_times_zero > 0) |
                            (signed_sum.abs() != all);  // of both signs
  const at::Tensor of_sign = at::full({}, infinity, at::kDouble).copysign(signed_sum);
  const at::Tensor none = at::zeros_like(all);
  return at::where(is_nan, at::full({}, nan, at::kDouble), at::where(all > 0, of_sign, none));
}

}  // namespace mxref::formulation
