#include "golden/formulation/conversion.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "golden/formulation/digits.h"
#include "golden/formulation/encoding.h"
#include "golden/formulation/operand.h"
#include "golden/formulation/rounding.h"

namespace mxref::formulation {
namespace {

constexpr int e8m0_bias = 127;

// The largest number that a conversion gives; int8 has a code of a larger magnitude.
double largest_value(const ElementFormat& f) {
  return std::ldexp(double(f.magnitude_units(f.max_code())), f.unit_log2());
}

// The values in blocks, (rows, blocks, block) float64, a short last block filled with zeros.
struct Blocks {
  at::Tensor values;     // 0 in place of what is not finite
  at::Tensor is_finite;  // (rows, blocks, 1): no NaN or Inf in it
  at::Tensor largest;    // (rows, blocks, 1): max |x|, 0 where not all is finite
  at::Tensor index;      // (rows, blocks, block): row-major in the tensor
};

Blocks blocks_of(const at::Tensor& x, int64_t block) {
  const int64_t K = x.size(-1), rows = x.numel() / K, count = (K + block - 1) / block;
  const auto cut = [&](const at::Tensor& t) {
    return at::constant_pad_nd(t, {0, count * block - K}).view({rows, count, block});
  };
  const at::Tensor given = cut(float64_of(x).reshape({rows, K}));
  Blocks b;
  b.is_finite = given.isfinite().all(2, /*keepdim=*/true);
  b.values = at::where(b.is_finite, given, at::zeros_like(given));
  b.largest = b.values.abs().amax(2, /*keepdim=*/true);
  b.index = cut(at::arange(rows * K, at::kLong).view({rows, K}));
  return b;
}

// |x| · p · 2^-s / divisor, or all of it by one scale: significand · 2^exponent.
Quotient quotients(const at::Tensor& x, Prescale p, const Significand& divisor) {
  const at::Tensor zero = x == 0;
  const Significand of_x =
      significand_of(at::where(zero, at::ones_like(x), x.abs()), binary32_digits);
  return {
      at::where(zero, at::zeros_like(of_x.significand), of_x.significand) * int64_t(p.numerator),
      divisor.significand * int64_t(p.denominator), of_x.exponent - divisor.exponent};
}

// The scale 2^s.
Significand power(const at::Tensor& s) { return {at::ones_like(s), s}; }

at::Tensor encode_elements(const Blocks& b, const Conversion& conversion, const Rounding& rounding,
                           const Significand& scale) {
  const at::Tensor random =
      rounding.name == "stochastic" ? random_words(conversion.seed, b.index) : at::Tensor();
  return encode(*conversion.format->element, quotients(b.values, conversion.prescale, scale),
                rounding, random);
}

// s before clamping, of the rules that look at the maximum alone. The maximum is the quotient of
// two float64, each exact.
at::Tensor exponent_by_rule(std::string_view rule, const at::Tensor& numerator, double denominator,
                            const ElementFormat& f) {
  const at::Tensor guess = floor_log2(numerator) - std::ilogb(denominator);
  const auto unit = [&](const at::Tensor& exponent) {  // 2^exponent, as much above as the maximum
    return power_of_two(exponent) * denominator;
  };
  const at::Tensor e = guess - (numerator < unit(guess)).to(at::kLong);
  const at::Tensor floor = e - f.emax();
  const auto one_more_where = [&](const at::Tensor& condition) {
    return floor + condition.to(at::kLong);
  };
  if (rule == "floor" || rule == "mse") return floor;
  if (rule == "ceil") return one_more_where(numerator > unit(e));
  if (rule == "even")  // the rounded significand carries from 2 - 2^-(mantissa_bits + 1) on
    return one_more_where(numerator >= unit(e) * (2 - std::ldexp(1.0, -f.mantissa_bits - 1)));
  if (rule == "roundup") return one_more_where(numerator > unit(floor) * largest_value(f));
  throw UsageError("the torch formulation has no scale rule '" + std::string(rule) + "'");
}

// Σ over the block of (code · 2^s - x·p)² · denominator², exact: (rows, blocks, 1) of digits.
Digits squared_error(const Blocks& b, const Conversion& conversion, const at::Tensor& codes,
                     const at::Tensor& s, int lowest) {
  const Prescale p = conversion.prescale;
  const at::Tensor coded = element_values(*conversion.format->element).take(codes) *
                           power_of_two(s) * double(p.denominator);
  Digits error = digits_of(coded, lowest);
  Digits given = digits_of(b.values.abs() * double(p.numerator), lowest);
  for (at::Tensor& digit : given.digits) digit = digit.neg();
  add(error, given);
  Digits sum;
  for (size_t i = 0; i < error.digits.size(); ++i)
    for (size_t j = 0; j < error.digits.size(); ++j)
      add_digit(sum, 2 * lowest + int(i + j),
                (error.digits[i] * error.digits[j]).sum(2, /*keepdim=*/true));
  return sum;
}

at::Tensor is_less(const Digits& x, const Digits& y) {
  Digits difference = x, negative = y;
  for (at::Tensor& digit : negative.digits) digit = digit.neg();
  add(difference, negative);
  return sign_of(difference) < 0;
}

// Rule `mse`: of first - 1, first, first + 1 the s with the least error, the smaller on a tie.
at::Tensor search(const Blocks& b, const Conversion& conversion, const at::Tensor& first) {
  constexpr int lowest = -11;  // digits from 2^-176 on: a binary32 ends at 2^-149, e5m2 at 2^-143
  const Rounding& tried =
      conversion.rounding->name == "stochastic" ? rounding("rne") : *conversion.rounding;
  at::Tensor s[3];
  Digits error[3];
  for (int i = 0; i < 3; ++i) {
    s[i] = (first + (i - 1)).clamp(-e8m0_bias, e8m0_bias);
    error[i] = squared_error(b, conversion, encode_elements(b, conversion, tried, power(s[i])),
                             s[i], lowest);
  }
  const at::Tensor second_wins = is_less(error[1], error[0]);
  const at::Tensor third_wins =
      at::where(second_wins, is_less(error[2], error[1]), is_less(error[2], error[0]));
  return at::where(third_wins, s[2], at::where(second_wins, s[1], s[0]));
}

struct CodesAndScales {
  at::Tensor codes, scales;  // magnitudes (rows, blocks, block), (rows, blocks, 1)
};

// Steps 3 and 4 of an MX format.
CodesAndScales by_rule(const Blocks& b, const Conversion& conversion) {
  const at::Tensor is_zero = b.largest == 0;
  const at::Tensor largest = at::where(is_zero, at::ones_like(b.largest), b.largest);
  const Prescale p = conversion.relabel ? conversion.prescale : Prescale{};
  const at::Tensor first = exponent_by_rule(conversion.rule->name, largest * double(p.numerator),
                                            p.denominator, *conversion.format->element);
  const at::Tensor s = conversion.rule->name == "mse" ? search(b, conversion, first)
                                                      : first.clamp(-e8m0_bias, e8m0_bias);
  return {encode_elements(b, conversion, *conversion.rounding, power(s)),
          at::where(is_zero, at::zeros_like(s), s + e8m0_bias)};
}

// g of the tensor or of each row, (1,1,1) or (rows,1,1): RNE32(A / (largest element · largest
// scale)), never below 2^-126, 1 where A is 0.
at::Tensor tensor_scales(const Blocks& b, const Conversion& conversion) {
  const auto product = uint32_t(largest_value(*conversion.format->element) *
                                largest_value(*conversion.format->scale->number));
  const at::Tensor maximum = conversion.scale_by_row ? b.largest.amax(1, /*keepdim=*/true)
                                                     : b.largest.max().view({1, 1, 1});
  const at::Tensor g = divide_rounding_once(maximum, {product, 1}, {}).clamp_min(0x1p-126);
  return at::where(maximum == 0, at::ones_like(g), g);
}

// The same under the tensor scales g (§6).
CodesAndScales under(const at::Tensor& g, const Blocks& b, const Conversion& conversion) {
  const ElementFormat& element = *conversion.format->element;
  const Significand of_g = significand_of(g, binary32_digits);
  const auto largest = element.parts(element.max_code());  // 6 = 3 · 2^1: the denominator is short
  const at::Tensor is_zero = b.largest == 0;
  const at::Tensor least_code =
      encode(*conversion.format->scale->number,
             quotients(b.largest, {},
                       {of_g.significand * int64_t(largest.significand),
                        of_g.exponent + largest.exponent}),
             rounding("rne"))
          .clamp_min(1);  // CHOICE: the least number where it would be zero
  constexpr int scale_bits = 4;
  const Significand scale =
      significand_of(scale_values(*conversion.format->scale).take(least_code), scale_bits);
  return {encode_elements(b, conversion, *conversion.rounding,
                          {scale.significand * of_g.significand, scale.exponent + of_g.exponent}),
          at::where(is_zero, at::zeros_like(least_code), least_code)};
}

at::Tensor signed_codes(const ElementFormat& f, const at::Tensor& magnitudes,
                        const at::Tensor& values) {
  const int64_t sign = f.sign_mask();
  const at::Tensor negative = f.sign == Sign::magnitude
                                  ? magnitudes + sign
                                  : (2 * sign - magnitudes).bitwise_and(2 * sign - 1);
  return at::where(values.signbit(), negative, magnitudes);
}

template <typename T>
std::vector<T> values_of(const at::Tensor& x, at::ScalarType type) {
  const at::Tensor contiguous = x.to(type).contiguous();
  const T* data = contiguous.data_ptr<T>();
  return {data, data + contiguous.numel()};
}

}  // namespace

MxTensor quantize(const at::Tensor& x, const Conversion& conversion) {
  const BlockFormat& format = *conversion.format;
  const Blocks b = blocks_of(x, conversion.block);
  MxTensor q{conversion, x.sizes().vec(), {}, {}};
  CodesAndScales made;
  if (format.has_tensor_scale()) {
    const at::Tensor g = tensor_scales(b, conversion);
    made = under(g, b, conversion);
    q.tensor_scales = values_of<float>(binary32_of(g, 0), at::kFloat);
  } else {
    made = by_rule(b, conversion);
  }
  // CHOICE: one NaN or Inf makes the whole block NaN, codes 0.
  const at::Tensor codes = signed_codes(*format.element, made.codes, b.values);
  const at::Tensor kept = at::where(b.is_finite, codes, at::zeros_like(codes));
  const at::Tensor scales =
      at::where(b.is_finite, made.scales, at::full_like(made.scales, int64_t(format.scale->nan)));
  const int64_t rows = q.rows(), K = q.cols();
  q.codes = values_of<uint8_t>(kept.reshape({rows, -1}).narrow(1, 0, K), at::kByte);
  q.scales = values_of<uint8_t>(scales, at::kByte);
  return q;
}

at::Tensor dequantize(const MxTensor& q) {
  at::Tensor values = Operand(q, 0, q.rows()).values;
  if (!q.tensor_scales.empty())
    values = values * float64_of(at::from_blob(const_cast<float*>(q.tensor_scales.data()),
                                               {int64_t(q.tensor_scales.size()), 1}, at::kFloat));
  const at::Tensor rounded = q.conversion.prescale.is_one()
                                 ? to_binary32(values)
                                 : divide_rounding_once(values, q.conversion.prescale, {});
  return binary32_of(rounded, 0x7FC00000).view(q.shape);
}

}  // namespace mxref::formulation
