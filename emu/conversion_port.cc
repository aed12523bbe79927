#include "emu/conversion_port.h"

#include <algorithm>
#include <bit>
#include <span>

#include "emu/quantize.h"

namespace mxref {

int ConversionDesign::lanes() const {
  int longest = 0;
  for (const BlockFormat& format : block_formats)
    if (formats[format_number(format)]) longest = std::max(longest, format.block);
  return longest;
}

Conversion conversion_of(const ConversionDesign& design, const ConversionBeat& beat) {
  Conversion conversion{.format = &block_formats[beat.format]};
  conversion.rounding = &roundings[beat.rounding];
  if (!design.has_stochastic && conversion.rounding->stochastic)
    conversion.rounding = &rounding("rtz");
  conversion.seed = beat.seed;
  if (conversion.format->has_tensor_scale()) return conversion;
  conversion.rule = &scale_rules[beat.rule];
  if (!design.has_mse && conversion.rule->searches) conversion.rule = &scale_rule("floor");
  if (beat.prescale) conversion.prescale = {3, 4};
  return conversion;
}

ConvertedBlock convert(const ConversionDesign& design, const ConversionBeat& beat) {
  const Conversion conversion = conversion_of(design, beat);
  ConvertedBlock block{.lanes = beat.lanes};
  if (design.unit == ConversionUnit::quantizer) {
    std::array<float, most_lanes> x;
    for (size_t i = 0; i < beat.lanes; ++i)
      x[i] = std::bit_cast<float>(beat.is_bfloat16 ? beat.data[i] << 16 : beat.data[i]);
    block.scale = quantize_block_ref(std::span(x).first(beat.lanes), conversion,
                                     std::span(block.codes).first(beat.lanes),
                                     {beat.index, beat.tensor_scale});
    return block;
  }
  const uint32_t mask = conversion.format->element->code_mask();
  for (size_t i = 0; i < beat.lanes; ++i)
    block.data[i] = std::bit_cast<uint32_t>(
        dequantize_element(*conversion.format, uint8_t(beat.codes[i] & mask), beat.scale,
                           conversion.prescale, beat.tensor_scale));
  return block;
}

int conversion_cycles(const ConversionDesign& design, const ConversionBeat& beat) {
  constexpr int philox_rounds = 10, search_cycles = 5;
  if (design.unit == ConversionUnit::dequantizer) return 1;
  const Conversion conversion = conversion_of(design, beat);
  if (conversion.rounding->stochastic) return 1 + philox_rounds;
  return conversion.rule->searches ? 1 + search_cycles : 1;
}

}  // namespace mxref
