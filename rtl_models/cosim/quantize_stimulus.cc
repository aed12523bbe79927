#include "rtl_models/cosim/quantize_stimulus.h"

#include <algorithm>
#include <bit>

#include "emu/binary32.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

constexpr uint32_t largest_finite = binary32::infinity - 1;

const BlockFormat& format_of(const ConversionBeat& beat) { return block_formats[beat.format]; }

uint32_t moved(uint32_t magnitude, int ulps) {
  return uint32_t(std::clamp<int64_t>(int64_t(magnitude) + ulps, 0, largest_finite));
}

}  // namespace

ConversionStimulus::ConversionStimulus(const ConversionDesign& design, const BlockFormat* format,
                                       uint64_t seed)
    : design_(design), format_(format), random_(seed) {
  if (design_.unit == ConversionUnit::dequantizer) {
    direct_codes();
  } else {
    direct_points();
    direct_maxima();
    direct_bits_of_maxima();
    direct_random_words();
    direct_remainders();
    direct_significands();
  }
  for (size_t i = directed_.size(); i > 1; --i) std::swap(directed_[i - 1], directed_[below(i)]);
}

ConversionBeat ConversionStimulus::next() {
  const bool is_directed = next_directed_ < directed_.size() && below(4) != 0;
  ConversionBeat beat = is_directed                                   ? directed_[next_directed_++]
                        : design_.unit == ConversionUnit::dequantizer ? random_codes()
                                                                      : random_values();
  if (!format_of(beat).has_tensor_scale())  // which is not read then: any bits, a sign too
    beat.tensor_scale = std::bit_cast<float>(uint32_t(random_.word()));
  return beat;
}

ConversionBeat ConversionStimulus::noise() {
  ConversionBeat beat;
  put_settings(beat);
  for (uint32_t& word : beat.data) word = uint32_t(random_.word());
  for (uint8_t& code : beat.codes) code = uint8_t(random_.word());
  beat.scale = uint8_t(random_.word());
  beat.lanes = uint8_t(1 + below(uint64_t(format_of(beat).block)));
  return beat;
}

size_t ConversionStimulus::format_row() {
  if (format_) return size_t(format_ - block_formats.data());
  size_t row = below(block_formats.size());
  while (!design_.formats[row]) row = below(block_formats.size());
  return row;
}

std::vector<size_t> ConversionStimulus::format_rows() const {
  std::vector<size_t> rows;
  for (size_t row = 0; row < block_formats.size(); ++row)
    if (design_.formats[row] && (!format_ || format_ == &block_formats[row])) rows.push_back(row);
  return rows;
}

float ConversionStimulus::draw_tensor_scale() {
  const uint64_t draw = below(8);
  uint32_t bits = 1u << binary32::mantissa_bits;  // the least
  if (draw == 1) bits = uint32_t(below(16) + 1) << binary32::mantissa_bits;
  if (draw == 2) bits = 254u << binary32::mantissa_bits | uint32_t(below(1u << 23));
  if (draw == 3) bits = uint32_t(1 + below(254)) << 23;  // a power of two: ties are exact
  if (draw == 4) bits = uint32_t(1 + below(254)) << 23 | uint32_t(below(8)) << 20;
  if (draw > 4) bits = random_.with_exponent(int(below(80)) - 40) & ~binary32::sign_mask;
  return std::bit_cast<float>(bits);
}

// All that is not the block itself.
void ConversionStimulus::put_settings(ConversionBeat& beat) {
  beat.format = uint8_t(format_row());
  beat.rule = uint8_t(below(scale_rules.size()));
  beat.rounding = uint8_t(below(roundings.size()));
  beat.prescale = below(2);
  beat.is_bfloat16 = below(4) == 0;
  beat.seed = below(4) == 0 ? below(4) : random_.word();
  const auto block = uint64_t(format_of(beat).block);
  switch (below(4)) {
    case 0:  // the first blocks of rows of any length
      beat.index = below(1000) * block + below(4) * below(block);
      break;
    case 1:  // the counter's low word overflows within the block, or near it
      beat.index = 4 * whole * (1 + below(3)) - below(2 * block);
      break;
    case 2:
      beat.index = ~uint64_t(0) - below(2 * block);
      break;
    default:
      beat.index = random_.word();
  }
  beat.tensor_scale = draw_tensor_scale();
  put_lanes(beat);
}

void ConversionStimulus::put_lanes(ConversionBeat& beat) {
  const auto block = uint64_t(format_of(beat).block);
  beat.lanes = uint8_t(below(8) < 5 ? block : 1 + below(block));
}

uint32_t ConversionStimulus::with_sign(uint32_t magnitude) {
  return magnitude | (below(2) ? binary32::sign_mask : 0);
}

uint32_t ConversionStimulus::at(const ConversionBeat& beat, Point point, Divisor by, int ulps) {
  const ElementFormat& element = *format_of(beat).element;
  const Prescale p = conversion_of(design_, beat).prescale;
  const auto parts = element.parts(point.code);
  const binary32::uint128 magnitude =
      binary32::uint128(parts.significand * whole + point.fraction) * by.significand *
      p.denominator;
  const uint32_t bits = binary32::round_quotient_rne(false, magnitude, p.numerator,
                                                     parts.exponent - 32 + by.exponent);
  return moved(std::min(bits, largest_finite), ulps);
}

// A maximum around the numbers of the format under a drawn scale.
uint32_t ConversionStimulus::draw_largest(const ConversionBeat& beat) {
  const BlockFormat& format = format_of(beat);
  const int ulps = int(below(3)) - 1;
  if (!format.has_tensor_scale()) {
    const ElementFormat& element = *format.element;
    const uint64_t draw = below(4);
    const int s = draw == 0 ? -127 : draw == 1 ? 127 - element.emax() : int(below(255)) - 127;
    const uint32_t binade = element.max_code() >> element.mantissa_bits << element.mantissa_bits;
    const auto code = binade + uint32_t(below(element.max_code() + 1 - binade));
    return at(beat, {code, below(2) * below(whole)}, {1, s}, ulps);
  }
  // A point of ue4m3 times 6·g.
  const ElementFormat& number = *format.scale->number;
  const auto g = binary32::parts(std::bit_cast<uint32_t>(beat.tensor_scale));
  const auto code = uint32_t(below(8) == 0 ? below(16) : below(number.max_code() + 1));
  const auto scale = number.parts(code);
  const uint64_t fractions[] = {0, half, below(whole)};
  const uint64_t significand = scale.significand * whole + fractions[below(3)];
  const uint32_t bits = binary32::round_rne(
      false, binary32::uint128(significand) * 6 * g.significand, scale.exponent - 32 + g.exponent);
  return moved(std::min(bits, largest_finite), ulps);
}

// What a block with this maximum is divided by, unless its rule searches.
ConversionStimulus::Divisor ConversionStimulus::divisor_of(const ConversionBeat& beat,
                                                           uint32_t max) {
  const float lane = std::bit_cast<float>(max);
  uint8_t code = 0;
  const uint8_t chosen = quantize_block_ref(std::span(&lane, 1), conversion_of(design_, beat),
                                            std::span(&code, 1), {0, beat.tensor_scale});
  const auto scale = format_of(beat).scale->parts(chosen);
  if (!format_of(beat).has_tensor_scale()) return {scale.significand, scale.exponent};
  const auto g = binary32::parts(std::bit_cast<uint32_t>(beat.tensor_scale));
  return {uint64_t(scale.significand) * g.significand, scale.exponent + g.exponent};
}

}  // namespace mxref
