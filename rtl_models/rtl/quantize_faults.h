#pragma once
// Faults planted in the quantizer and the dequantizer, as those of faults.h in the array: the
// number of a fault is its place in this table, from 1, and mx_pkg.sv takes its constants from
// here as `mx_pkg::QuantizeFault…`.

#include <array>
#include <string_view>

#include "emu/conversion_port.h"
#include "emu/error.h"

namespace mxref {

struct QuantizeFault {
  std::string_view name;
  std::string_view part;  // of the hardware
  std::string_view what;
  ConversionUnit unit = ConversionUnit::quantizer;  // which a run must drive to see it
};

inline constexpr std::array quantize_faults{
    QuantizeFault{"bfloat16_low_half", "input", "the high half of a lane is taken for a bfloat16"},
    QuantizeFault{"lane_beyond_counts", "input",
                  "the lane after a short block's last is not ignored"},
    QuantizeFault{"inf_is_finite", "NaN rule", "an Inf in a block is taken for a number"},
    QuantizeFault{"zero_block_scale", "zero rule", "the ue4m3 scale of zeros is the least number"},
    QuantizeFault{"subnormal_max", "scale rule", "a subnormal maximum is not normalised"},
    QuantizeFault{"even_rounds_down", "scale rule", "`even` does not round the maximum half up"},
    QuantizeFault{"roundup_at_max", "scale rule",
                  "`roundup` goes on where the maximum is the largest number"},
    QuantizeFault{"scale_not_clamped", "scale rule", "the scale exponent wraps below -127"},
    QuantizeFault{"prescaled_scale", "pre-scale", "the scale is that of the pre-scaled maximum"},
    QuantizeFault{"tie_away", "rounding", "`rne` rounds ties away from zero"},
    QuantizeFault{"not_saturated", "rounding", "a carry past the largest number is let through"},
    QuantizeFault{"zero_sign", "rounding", "what rounds to zero loses its sign"},
    QuantizeFault{"stochastic_equal", "stochastic",
                  "a random word equal to the fraction rounds up"},
    QuantizeFault{"block_index", "stochastic", "the words of a block begin with a whole counter"},
    QuantizeFault{"counter_carry", "stochastic", "the counter's carry into the high word is lost"},
    QuantizeFault{"mse_tie", "mse", "the larger of two scales with the same error is taken"},
    QuantizeFault{"mse_last_lane", "mse", "the last lane's error is not counted"},
    QuantizeFault{"mse_saturated", "mse",
                  "the error of a saturated element is taken in its binade"},
    QuantizeFault{"quotient_rest", "tensor scale",
                  "the rest of an element's quotient is forgotten"},
    QuantizeFault{"scale_of_zero", "tensor scale", "a scale that rounds to zero stays zero"},
    QuantizeFault{"settings_early", "handshake", "a block that waits gets the next one's rounding"},
    QuantizeFault{"result_overwritten", "handshake", "the second of two waiting results is lost"},
    QuantizeFault{"third_truncated", "pre-scale", "what lies below 25 bits of 4/3 is forgotten",
                  ConversionUnit::dequantizer},
    QuantizeFault{"nan_scale_is_number", "NaN rule", "the NaN of e8m0 is taken for 2^128",
                  ConversionUnit::dequantizer},
    QuantizeFault{"inf_is_nan", "NaN rule", "an Inf is taken for NaN", ConversionUnit::dequantizer},
    QuantizeFault{"scale_subnormal", "tensor scale", "a subnormal ue4m3 scale gets the hidden bit",
                  ConversionUnit::dequantizer},
};
static_assert(names_are_distinct(quantize_faults));

}  // namespace mxref
