#pragma once
// Faults planted in the RTL, chosen at run time by `fault_i`: the number of a fault is its place in
// this table, from 1; 0 is none. mx_pkg.sv takes its constants from here. To add a fault, add a row
// and plant it where the RTL reads `mx_pkg::Fault…`.

#include <array>
#include <string_view>

#include "emu/error.h"

namespace mxref {

struct Fault {
  std::string_view name;
  std::string_view part;  // of the hardware
  std::string_view what;
};

inline constexpr std::array faults{
    Fault{"decode_subnormal", "decoder", "a subnormal element gets the hidden bit"},
    Fault{"decode_max_as_nan", "NaN rule", "the largest e4m3 number is taken for NaN too"},
    Fault{"sign_both_negative", "sign", "the last lane's product of two negatives is negative"},
    Fault{"multiply_max", "multiplier", "15 · 15 loses its lowest bit"},
    Fault{"sum_last_lane", "sum", "the last lane is not added where the first is negative"},
    Fault{"sum_one_bit_short", "sum", "the sum wraps one bit too early"},
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
    Fault{"valid_withdrawn", "handshake", "valid of the last row of results falls before ready"},
    Fault{"format_kept", "handshake", "B keeps its format where a tile follows without a gap"},
    Fault{"columns_swapped", "tile order", "the first two columns of the last row are swapped"},
    Fault{"row_repeated", "tile order", "a row that waited is sent twice, the next one is lost"},
};
static_assert(names_are_distinct(faults));

}  // namespace mxref
