#include "emu/quantize.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <optional>

#include "emu/binary32.h"
#include "emu/e8m0.h"
#include "emu/kernels/kernels.h"
#include "emu/philox.h"

namespace mxref {

namespace {

Magnitude times(const binary32::Parts& x, Prescale p) {
  return {uint64_t(x.significand) * p.numerator, p.denominator, x.exponent};
}

// Codes of the elements for one scale, which is a divisor significand · 2^exponent.
struct Divisor {
  uint64_t significand;
  int exponent;
};
void encode(std::span<const float> x, const Conversion& conversion, const Rounding& rounding,
            const Divisor& by, uint64_t first_element, std::span<uint8_t> codes) {
  const ElementFormat& element = *conversion.format->element;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(x[i]);
    Magnitude v = times(binary32::parts(bits), conversion.prescale);
    v.denominator *= by.significand;
    v.exponent -= by.exponent;
    const uint32_t random =
        rounding.stochastic ? philox::word(conversion.seed, first_element + i) : 0;
    codes[i] = uint8_t(element.code(binary32::is_negative(bits),
                                    encode_magnitude_sat(element, v, rounding, random)));
  }
}

// Σ (code · 2^s - x·p)² · denominator², exact, in units of 2^-340: an error is a multiple of 2^-170
// and below 2^160.
using Squared = boost::multiprecision::checked_uint1024_t;
Squared squared_error(std::span<const float> x, std::span<const uint8_t> codes,
                      const Conversion& conversion, int s) {
  using Wide = boost::multiprecision::checked_int512_t;
  constexpr int unit_log2 = -170;
  const ElementFormat& element = *conversion.format->element;
  const Prescale p = conversion.prescale;
  Squared sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const binary32::Parts v = binary32::parts(std::bit_cast<uint32_t>(x[i]));
    const Wide given = (Wide(v.significand) * p.numerator) << unsigned(v.exponent - unit_log2);
    const Wide coded = (Wide(element.magnitude_units(element.magnitude(codes[i]))) * p.denominator)
                       << unsigned(element.unit_log2() + s - unit_log2);
    const Squared error = Squared(abs(Wide(coded - given)));
    sum += error * error;
  }
  return sum;
}

// Steps 3 and 4 of an MX format whose largest magnitude is finite and above zero.
uint8_t quantize_by_rule(std::span<const float> x, uint32_t amax_bits, const Conversion& conversion,
                         uint64_t first_element, std::span<uint8_t> codes) {
  const Magnitude amax =
      times(binary32::parts(amax_bits), conversion.relabel ? conversion.prescale : Prescale{});
  const int first = conversion.rule->exponent(amax, *conversion.format->element);
  int s = e8m0::clamp(first);
  if (conversion.rule->searches) {
    const Rounding& tried =
        conversion.rounding->stochastic ? rounding("rne") : *conversion.rounding;
    std::optional<Squared> least;
    for (int neighbour = first - 1; neighbour <= first + 1; ++neighbour) {
      const int candidate = e8m0::clamp(neighbour);
      encode(x, conversion, tried, {1, candidate}, 0, codes);
      const Squared error = squared_error(x, codes, conversion, candidate);
      if (least && error >= *least) continue;
      least = error;
      s = candidate;
    }
  }
  encode(x, conversion, *conversion.rounding, {1, s}, first_element, codes);
  return e8m0::encode_sat(s);
}

// The same under a tensor scale g (ARITHMETIC.md §6).
uint8_t quantize_under(float g, std::span<const float> x, uint32_t amax_bits,
                       const Conversion& conversion, uint64_t first_element,
                       std::span<uint8_t> codes) {
  const ScaleFormat& format = *conversion.format->scale;
  const ElementFormat& element = *conversion.format->element;
  const binary32::Parts of_g = binary32::parts(std::bit_cast<uint32_t>(g));
  const auto largest = element.parts(element.max_code());
  const binary32::Parts amax = binary32::parts(amax_bits);
  const Magnitude quotient{amax.significand, uint64_t(largest.significand) * of_g.significand,
                           amax.exponent - largest.exponent - of_g.exponent};
  // CHOICE: the least number where it would be zero.
  const auto scale = uint8_t(
      std::max(encode_magnitude_sat(*format.number, quotient, rounding("rne")), uint32_t(1)));
  const auto of_scale = format.parts(scale);
  encode(x, conversion, *conversion.rounding,
         {uint64_t(of_scale.significand) * of_g.significand, of_scale.exponent + of_g.exponent},
         first_element, codes);
  return scale;
}

MxTensor empty_tensor(std::span<const float> x, std::vector<int64_t> shape,
                      const Conversion& conversion) {
  check_conversion(conversion);
  MxTensor q{conversion, std::move(shape), {}, {}};
  if (q.shape.empty() || x.empty() || q.rows() * q.cols() != int64_t(x.size()))
    throw UsageError("a tensor to quantize needs at least one dimension and one element");
  q.codes.resize(x.size());
  q.scales.resize(size_t(q.rows() * q.blocks_per_row()));
  if (conversion.format->has_tensor_scale())
    q.tensor_scales.resize(conversion.scale_by_row ? size_t(q.rows()) : 1);
  return q;
}

void find_tensor_scales(std::span<const float> x, MxTensor& q) {
  for (size_t i = 0; i < q.tensor_scales.size(); ++i) {
    const size_t count = x.size() / q.tensor_scales.size();
    q.tensor_scales[i] = tensor_scale_ref(x.subspan(i * count, count), q.cols(), q.format());
  }
}

}  // namespace

std::string block_length_list() {
  std::string list;
  for (int length : block_lengths) list += (list.empty() ? "" : ", ") + std::to_string(length);
  return list;
}

std::string block_length_list(const BlockFormat& format) {
  return format.has_tensor_scale() ? std::to_string(format.block) : block_length_list();
}

void check_conversion(const Conversion& conversion) {
  const BlockFormat& format = *conversion.format;
  const std::string name(format.name);
  if (!is_block_length(format, conversion.block))
    throw UsageError("block length " + std::to_string(conversion.block) + " is none of " +
                     block_length_list(format) + ", which " + name + " has");
  if (!format.has_tensor_scale()) {
    if (conversion.scale_by_row) throw UsageError(name + " has no tensor scale");
    return;
  }
  if (conversion.rule != &scale_rules[0]) throw UsageError("scale rules do not apply to " + name);
  if (!conversion.prescale.is_one() || conversion.relabel)
    throw UsageError("a pre-scale does not apply to " + name);
}

uint32_t max_magnitude(std::span<const float> x) {
  uint32_t bits = 0;
  for (float v : x) bits = std::max(bits, std::bit_cast<uint32_t>(v) & ~binary32::sign_mask);
  return bits;
}

uint8_t quantize_block_ref(std::span<const float> x, const Conversion& conversion,
                           std::span<uint8_t> codes, const BlockPlace& place) {
  const uint32_t amax_bits = max_magnitude(x);
  // CHOICE: one NaN or Inf makes the whole block NaN, codes 0.
  if (!binary32::is_finite(amax_bits)) {
    std::fill(codes.begin(), codes.end(), uint8_t(0));
    return conversion.format->scale->nan;
  }
  if (amax_bits == 0) {  // the sign of zero stays
    encode(x, conversion, *conversion.rounding, {1, 0}, place.first_element, codes);
    return 0;
  }
  if (conversion.format->has_tensor_scale())
    return quantize_under(place.tensor_scale, x, amax_bits, conversion, place.first_element, codes);
  return quantize_by_rule(x, amax_bits, conversion, place.first_element, codes);
}

float tensor_scale_ref(std::span<const float> x, int64_t K, const BlockFormat& format) {
  uint32_t amax_bits = 0;
  for (size_t row = 0; row < x.size(); row += size_t(K))
    for (int64_t k = 0; k < K; k += format.block) {
      const auto count = size_t(std::min<int64_t>(format.block, K - k));
      const uint32_t of_block = max_magnitude(x.subspan(row + size_t(k), count));
      if (binary32::is_finite(of_block)) amax_bits = std::max(amax_bits, of_block);
    }
  if (amax_bits == 0) return 1;
  const ElementFormat &element = *format.element, &number = *format.scale->number;
  const auto a = element.parts(element.max_code()), b = number.parts(number.max_code());
  const binary32::Parts amax = binary32::parts(amax_bits);
  const uint32_t g =
      binary32::round_quotient_rne(false, amax.significand, uint64_t(a.significand) * b.significand,
                                   amax.exponent - a.exponent - b.exponent);
  // CHOICE: never below the least normal number.
  return std::bit_cast<float>(std::max(g, 1u << binary32::mantissa_bits));
}

MxTensor quantize_ref(std::span<const float> x, std::vector<int64_t> shape,
                      const Conversion& conversion, uint64_t first_element) {
  MxTensor q = empty_tensor(x, std::move(shape), conversion);
  const int64_t K = q.cols();
  find_tensor_scales(x, q);
  for (int64_t row = 0; row < q.rows(); ++row)
    for (int64_t b = 0; b < q.blocks_per_row(); ++b) {
      const size_t begin = size_t(row * K + b * q.block());
      const size_t count = size_t(std::min<int64_t>(q.block(), K - b * q.block()));
      q.scales[size_t(row * q.blocks_per_row() + b)] = quantize_block_ref(
          x.subspan(begin, count), conversion, std::span(q.codes).subspan(begin, count),
          {first_element + begin, q.tensor_scale(row)});
    }
  return q;
}

MxTensor quantize(std::span<const float> x, std::vector<int64_t> shape,
                  const Conversion& conversion, uint64_t first_element) {
  MxTensor q = empty_tensor(x, std::move(shape), conversion);
  find_tensor_scales(x, q);
  kernels::quantize_rows(x.data(), q, first_element);
  return q;
}

float dequantize_element(const BlockFormat& format, uint8_t code, uint8_t scale, Prescale p,
                         float tensor_scale) {
  const ElementFormat& element = *format.element;
  const bool negative = is_negative(element, code);
  if (format.scale->is_nan(scale) || is_nan(element, code))
    return std::bit_cast<float>(binary32::canonical_nan);
  if (is_inf(element, code))
    return std::bit_cast<float>(binary32::infinity | (negative ? binary32::sign_mask : 0));
  const uint64_t units = element.magnitude_units(element.magnitude(code));
  const auto of_scale = format.scale->parts(scale);
  const auto g = format.has_tensor_scale() ? binary32::parts(std::bit_cast<uint32_t>(tensor_scale))
                                           : binary32::Parts{1, 0};
  return std::bit_cast<float>(binary32::round_quotient_rne(
      negative, binary32::uint128(units * of_scale.significand) * g.significand * p.denominator,
      p.numerator, element.unit_log2() + of_scale.exponent + g.exponent));
}

std::vector<float> dequantize(const MxTensor& q) {
  // A scale has one value for each code: they are computed when the scale first occurs under a
  // tensor scale.
  std::array<std::vector<float>, 256> values_of;
  const size_t codes = size_t(1) << q.element().bits();
  std::vector<float> x(q.codes.size());
  for (int64_t row = 0; row < q.rows(); ++row) {
    if (q.tensor_scales.size() > 1)
      for (std::vector<float>& values : values_of) values.clear();
    for (int64_t b = 0; b < q.blocks_per_row(); ++b) {
      const uint8_t scale = q.row_scales(row)[size_t(b)];
      std::vector<float>& values = values_of[scale];
      for (size_t code = values.size(); code < codes; ++code)
        values.push_back(dequantize_element(q.format(), uint8_t(code), scale, q.conversion.prescale,
                                            q.tensor_scale(row)));
      const int64_t end = std::min<int64_t>(q.cols(), (b + 1) * q.block());
      for (int64_t k = b * q.block(); k < end; ++k) {
        const size_t i = size_t(row * q.cols() + k);
        x[i] = values[q.codes[i] & (codes - 1)];
      }
    }
  }
  return x;
}

}  // namespace mxref
