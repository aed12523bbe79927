#pragma once
// Faults planted in the RTL, chosen at run time by `fault_i`: the number of a fault is its place in
// this table, from 1; 0 is none. mx_pkg.sv takes its constants from here. To add a fault, add a row
// and plant it where the RTL reads `mx_pkg::Fault…`.

#include <array>
#include <string_view>

#include "emu/error.h"
#include "emu/formats.h"

namespace mxref {

// What a run must draw for a fault to show at all. A format is nullptr where every one is drawn.
struct FaultNeed {
  std::string_view what;
  bool (*is_met)(const BlockFormat* format_a, const BlockFormat* format_b, double backpressure);
};
constexpr bool may_be_e4m3(const BlockFormat* format) {
  return !format || format->element->name == "e4m3";
}
inline constexpr FaultNeed needs_nothing{
    "", [](const BlockFormat*, const BlockFormat*, double) { return true; }};
inline constexpr FaultNeed needs_e4m3{"an operand of e4m3",
                                      [](const BlockFormat* a, const BlockFormat* b, double) {
                                        return may_be_e4m3(a) || may_be_e4m3(b);
                                      }};
inline constexpr FaultNeed needs_e4m3_twice{"both operands of e4m3",
                                            [](const BlockFormat* a, const BlockFormat* b, double) {
                                              return may_be_e4m3(a) && may_be_e4m3(b);
                                            }};
inline constexpr FaultNeed needs_formats_of_b{
    "more than one format of b",
    [](const BlockFormat*, const BlockFormat* b, double) { return !b; }};
inline constexpr FaultNeed needs_backpressure{
    "back-pressure",
    [](const BlockFormat*, const BlockFormat*, double share) { return share > 0; }};

struct Fault {
  std::string_view name;
  std::string_view part;  // of the hardware
  std::string_view what;
  const FaultNeed* need = &needs_nothing;
};

inline constexpr std::array faults{
    Fault{"decode_subnormal", "decoder", "a subnormal element gets the hidden bit"},
    Fault{"decode_max_as_nan", "NaN rule", "the largest e4m3 number is taken for NaN too",
          &needs_e4m3},
    Fault{"sign_both_negative", "sign", "the last lane's product of two negatives is negative"},
    Fault{"multiply_max", "multiplier", "15 · 15 loses its lowest bit", &needs_e4m3_twice},
    Fault{"sum_last_lane", "sum", "the last lane is not added where the first is negative"},
    Fault{"sum_one_bit_short", "sum", "the sum wraps one bit too early", &needs_e4m3_twice},
    Fault{"sum_all_cancelled", "sum", "a sum that cancels counts as no nonzero product"},
    Fault{"scale_code_zero", "scale", "scale code 0 is taken for 2^-126"},
    Fault{"scale_product_saturates", "scale", "the product of scales is kept below 2^128"},
    Fault{"nan_scale_without_product", "NaN rule",
          "a NaN scale is ignored where no product is nonzero"},
    Fault{"nan_payload", "NaN rule", "a NaN accumulator keeps its payload"},
    Fault{"inf_changes_sign", "NaN rule", "Inf takes the sign of the block that follows"},
    Fault{"align_wraps", "alignment", "alignment distances of 64 and more wrap"},
    Fault{"align_sticky", "alignment", "bits shifted out in the alignment are forgotten"},
    Fault{"round_subnormal", "rounding", "subnormal results are truncated"},
    Fault{"round_overflow", "rounding", "overflow gives the largest finite number"},
    Fault{"tie_away", "tie", "ties are rounded away from zero"},
    Fault{"acc_minus_zero", "accumulator", "-0 becomes +0 where no product is nonzero"},
    Fault{"acc_not_restarted", "accumulator", "a tile of one block does not restart"},
    Fault{"input_overwritten", "handshake", "a last beat that waits is overwritten by the next"},
    Fault{"valid_withdrawn", "handshake", "valid of the last row of results falls before ready",
          &needs_backpressure},
    Fault{"format_kept", "handshake", "B keeps its format where a tile follows without a gap",
          &needs_formats_of_b},
    Fault{"columns_swapped", "tile order", "the first two columns of the last row are swapped"},
    Fault{"row_repeated", "tile order", "a row that waited is sent twice, the next one is lost",
          &needs_backpressure},
    Fault{"format_of_a_gap", "handshake", "formats are taken where no beat is valid too",
          &needs_backpressure},
};
static_assert(names_are_distinct(faults));

}  // namespace mxref
