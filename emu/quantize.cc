#include "emu/quantize.h"

#include <algorithm>
#include <array>
#include <bit>

#include "emu/binary32.h"
#include "emu/e8m0.h"
#include "emu/kernels/kernels.h"

namespace mxref {

std::string block_length_list() {
  std::string list;
  for (int length : block_lengths) list += (list.empty() ? "" : ", ") + std::to_string(length);
  return list;
}

uint8_t quantize_block_ref(std::span<const float> x, const Conversion& conversion,
                           std::span<uint8_t> codes) {
  const ElementFormat& element = *conversion.format->element;
  const Prescale p = conversion.prescale;

  // Step 1 and 2: NaN or Inf anywhere, and the largest magnitude. Magnitudes order as their bits
  // do.
  uint32_t amax_bits = 0;
  for (float v : x)
    amax_bits = std::max(amax_bits, std::bit_cast<uint32_t>(v) & ~binary32::sign_mask);
  if (!binary32::is_finite(
          amax_bits)) {  // CHOICE: one NaN or Inf makes the whole block NaN, codes 0
    std::fill(codes.begin(), codes.end(), uint8_t(0));
    return e8m0::nan;
  }

  // Step 3: the scale, from the unscaled maximum.
  const uint8_t scale =
      amax_bits == 0 ? uint8_t(0) : e8m0::encode_sat(conversion.rule->exponent(amax_bits, element));

  // Step 4: x · p · 2^-s, exact, rounded once.
  for (size_t i = 0; i < x.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(x[i]);
    const binary32::Parts v = binary32::parts(bits);
    const uint32_t magnitude =
        encode_magnitude_sat(element, uint64_t(v.significand) * p.numerator, p.denominator,
                             v.exponent - e8m0::log2(scale), *conversion.rounding);
    codes[i] = uint8_t(magnitude | (binary32::is_negative(bits) ? element.sign_mask() : 0));
  }
  return scale;
}

static MxTensor empty_tensor(std::span<const float> x, std::vector<int64_t> shape,
                             const Conversion& conversion) {
  if (!is_block_length(conversion.block))
    throw UsageError("block length " + std::to_string(conversion.block) + " is none of " +
                     block_length_list());
  MxTensor q{conversion, std::move(shape), {}, {}};
  if (q.shape.empty() || x.empty() || q.rows() * q.cols() != int64_t(x.size()))
    throw UsageError("a tensor to quantize needs at least one dimension and one element");
  q.codes.resize(x.size());
  q.scales.resize(size_t(q.rows() * q.blocks_per_row()));
  return q;
}

MxTensor quantize_ref(std::span<const float> x, std::vector<int64_t> shape,
                      const Conversion& conversion) {
  MxTensor q = empty_tensor(x, std::move(shape), conversion);
  const int64_t K = q.cols();
  for (int64_t row = 0; row < q.rows(); ++row)
    for (int64_t b = 0; b < q.blocks_per_row(); ++b) {
      const size_t begin = size_t(row * K + b * q.block());
      const size_t count = size_t(std::min<int64_t>(q.block(), K - b * q.block()));
      q.scales[size_t(row * q.blocks_per_row() + b)] = quantize_block_ref(
          x.subspan(begin, count), conversion, std::span(q.codes).subspan(begin, count));
    }
  return q;
}

MxTensor quantize(std::span<const float> x, std::vector<int64_t> shape,
                  const Conversion& conversion) {
  MxTensor q = empty_tensor(x, std::move(shape), conversion);
  kernels::quantize_rows(x.data(), q.rows(), q.cols(), conversion, q.codes.data(), q.scales.data());
  return q;
}

float dequantize_element(const ElementFormat& format, uint8_t code, uint8_t scale, Prescale p) {
  if (e8m0::is_nan(scale) || is_nan(format, code))
    return std::bit_cast<float>(binary32::canonical_nan);
  const uint64_t units = format.magnitude_units(code & format.magnitude_mask());
  return std::bit_cast<float>(binary32::round_quotient_rne(
      is_negative(format, code), binary32::uint128(units) * p.denominator, p.numerator,
      format.unit_log2() + e8m0::log2(scale)));
}

std::vector<float> dequantize(const MxTensor& q) {
  // A scale has one value for each code: they are computed when the scale first occurs.
  std::array<std::vector<float>, 256> values_of;
  const size_t codes = size_t(1) << q.element().bits();
  std::vector<float> x(q.codes.size());
  for (int64_t row = 0; row < q.rows(); ++row)
    for (int64_t b = 0; b < q.blocks_per_row(); ++b) {
      const uint8_t scale = q.row_scales(row)[size_t(b)];
      std::vector<float>& values = values_of[scale];
      for (size_t code = values.size(); code < codes; ++code)
        values.push_back(
            dequantize_element(q.element(), uint8_t(code), scale, q.conversion.prescale));
      const int64_t end = std::min<int64_t>(q.cols(), (b + 1) * q.block());
      for (int64_t k = b * q.block(); k < end; ++k) {
        const size_t i = size_t(row * q.cols() + k);
        x[i] = values[q.codes[i] & (codes - 1)];
      }
    }
  return x;
}

}  // namespace mxref
