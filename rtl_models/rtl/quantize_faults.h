#pragma once
// Faults planted in the quantizer and the dequantizer, as those of faults.h in the array: the
// number of a fault is its place in this table, from 1, and mx_pkg.sv takes its constants from
// here as `mx_pkg::QuantizeFault…`.

#include <array>
#include <string_view>

#include "emu/conversion_port.h"
#include "emu/error.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {

inline bool is_int8_alone(const FaultConditions& run) {
  return run.format_a && may_be(run.format_a, int8);
}
// What a run must draw: format_a is the format of its blocks.
inline constexpr FaultNeed needs_tensor_scale{
    "nvfp4",
    [](const FaultConditions& run) { return !run.format_a || run.format_a->has_tensor_scale(); }};
inline constexpr FaultNeed needs_e5m2{
    "mxfp8_e5m2", [](const FaultConditions& run) { return may_be(run.format_a, e5m2); }};
inline constexpr FaultNeed needs_minus_zero{
    "a format with -0", [](const FaultConditions& run) { return !is_int8_alone(run); }};
// Elsewhere a subnormal maximum has the least scale whatever its leading bit is.
inline constexpr FaultNeed needs_small_scales{"mxint8 or nvfp4", [](const FaultConditions& run) {
                                                return is_int8_alone(run) ||
                                                       needs_tensor_scale.is_met(run);
                                              }};
// In the other formats no block was found on which the wrong error chooses another scale.
inline constexpr FaultNeed needs_few_binades{
    "mxfp4, mxfp6_e2m3 or mxint8", [](const FaultConditions& run) {
      return may_be(run.format_a, int8) || may_be(run.format_a, e2m3) ||
             (may_be(run.format_a, e2m1) && needs_e8m0.is_met(run));
    }};

struct QuantizeFault {
  std::string_view name;
  std::string_view part;  // of the hardware
  std::string_view what;
  const FaultNeed* need = &needs_nothing;
  ConversionUnit unit = ConversionUnit::quantizer;  // which a run must drive to see it
};

inline constexpr std::array quantize_faults{
    QuantizeFault{"bfloat16_low_half", "input", "the high half of a lane is taken for a bfloat16"},
    QuantizeFault{"lane_beyond_counts", "input",
                  "the lane after a short block's last is not ignored"},
    QuantizeFault{"inf_is_finite", "NaN rule", "an Inf in a block is taken for a number"},
    QuantizeFault{"zero_block_scale", "zero rule", "the ue4m3 scale of zeros is the least number",
                  &needs_tensor_scale},
    QuantizeFault{"subnormal_max", "scale rule", "a subnormal maximum is not normalised",
                  &needs_small_scales},
    QuantizeFault{"even_rounds_down", "scale rule", "`even` does not round the maximum half up",
                  &needs_e8m0},
    QuantizeFault{"roundup_at_max", "scale rule",
                  "`roundup` goes on where the maximum is the largest number", &needs_e8m0},
    QuantizeFault{"scale_not_clamped", "scale rule", "the scale exponent wraps below -127",
                  &needs_e8m0},
    QuantizeFault{"prescaled_scale", "pre-scale", "the scale is that of the pre-scaled maximum"},
    QuantizeFault{"tie_away", "rounding", "`rne` rounds ties away from zero"},
    QuantizeFault{"not_saturated", "rounding", "a carry past the largest number is let through"},
    QuantizeFault{"zero_sign", "rounding", "what rounds to zero loses its sign", &needs_minus_zero},
    QuantizeFault{"stochastic_equal", "stochastic",
                  "a random word equal to the fraction rounds up"},
    QuantizeFault{"block_index", "stochastic", "the words of a block begin with a whole counter"},
    QuantizeFault{"counter_carry", "stochastic", "the counter's carry into the high word is lost"},
    QuantizeFault{"mse_tie", "mse", "the larger of two scales with the same error is taken",
                  &needs_e8m0},
    QuantizeFault{"mse_last_lane", "mse", "the last lane's error is not counted", &needs_e8m0},
    QuantizeFault{"mse_saturated", "mse", "the error of a saturated element is taken in its binade",
                  &needs_few_binades},
    QuantizeFault{"quotient_rest", "tensor scale", "the rest of an element's quotient is forgotten",
                  &needs_tensor_scale},
    QuantizeFault{"scale_of_zero", "tensor scale", "a scale that rounds to zero stays zero",
                  &needs_tensor_scale},
    QuantizeFault{"settings_early", "handshake", "a block that waits gets the next one's rounding"},
    QuantizeFault{"result_overwritten", "handshake", "the second of two waiting results is lost",
                  &needs_backpressure},
    QuantizeFault{"third_truncated", "pre-scale", "what lies below 25 bits of 4/3 is forgotten",
                  &needs_e8m0, ConversionUnit::dequantizer},
    QuantizeFault{"nan_scale_is_number", "NaN rule", "the NaN of e8m0 is taken for 2^128",
                  &needs_e8m0, ConversionUnit::dequantizer},
    QuantizeFault{"inf_is_nan", "NaN rule", "an Inf is taken for NaN", &needs_e5m2,
                  ConversionUnit::dequantizer},
    QuantizeFault{"scale_subnormal", "tensor scale", "a subnormal ue4m3 scale gets the hidden bit",
                  &needs_tensor_scale, ConversionUnit::dequantizer},
};
static_assert(names_are_distinct(quantize_faults));

}  // namespace mxref
