#pragma once
// Faults planted in the RTL, chosen at run time by `fault_i`: the number of a fault is its place in
// this table, from 1; 0 is none. mx_pkg.sv takes its constants from here. To add a fault, add a row
// and plant it where the RTL reads `mx_pkg::Fault…`.

#include <array>
#include <string_view>

#include "emu/datapaths.h"
#include "emu/error.h"
#include "emu/formats.h"

namespace mxref {

// What a run draws, and the datapath of an array. A format is nullptr where every one is drawn.
struct FaultConditions {
  const BlockFormat *format_a = nullptr, *format_b = nullptr;
  double backpressure = 0;
  const Datapath* datapath = nullptr;
};
// What a run must draw for a fault to show at all.
struct FaultNeed {
  std::string_view what;
  bool (*is_met)(const FaultConditions& run);
};
constexpr bool may_be(const BlockFormat* format, const ElementFormat& element) {
  return !format || format->element->name == element.name;
}
inline constexpr FaultNeed needs_nothing{"", [](const FaultConditions&) { return true; }};
// Of nvfp4 blocks have half the lanes, and sums with C neither leave the range of binary32 nor lose
// bits below its rounding.
inline constexpr FaultNeed needs_e8m0{"a format of e8m0 scales", [](const FaultConditions& run) {
                                        return !run.format_a || !run.format_a->has_tensor_scale();
                                      }};
inline constexpr FaultNeed needs_fields{
    "an operand that is not int8", [](const FaultConditions& run) {
      const auto is_int8 = [](const BlockFormat* f) { return f && may_be(f, int8); };
      return !is_int8(run.format_a) || !is_int8(run.format_b);
    }};
inline constexpr FaultNeed needs_e4m3{"an operand of e4m3", [](const FaultConditions& run) {
                                        return may_be(run.format_a, e4m3) ||
                                               may_be(run.format_b, e4m3);
                                      }};
inline constexpr FaultNeed needs_wide_significands{
    "both operands of e4m3, e2m3 or int8", [](const FaultConditions& run) {
      const auto is_wide = [](const BlockFormat* f) {
        return !f || f->element->mantissa_bits >= 3;
      };
      return is_wide(run.format_a) && is_wide(run.format_b);
    }};
inline constexpr FaultNeed needs_widest_sums{
    "both operands of e5m2", [](const FaultConditions& run) {
      return may_be(run.format_a, e5m2) && may_be(run.format_b, e5m2);
    }};
inline constexpr FaultNeed needs_formats_of_b{
    "more than one format of b", [](const FaultConditions& run) { return !run.format_b; }};
inline constexpr FaultNeed needs_backpressure{
    "back-pressure", [](const FaultConditions& run) { return run.backpressure > 0; }};

// In whose hardware a fault is.
constexpr bool is_binary32(const Datapath& d) {
  return d.kind != Accumulation::exact && d.kind != Accumulation::aligned;
}
constexpr bool is_in_groups(const Datapath& d) {
  return d.kind == Accumulation::aligned && d.alignment.group > 1;
}
inline constexpr FaultNeed of_binary32{
    "a datapath of fused, blockwise, sequential",
    [](const FaultConditions& run) { return is_binary32(*run.datapath); }};
inline constexpr FaultNeed of_sums{
    "a datapath of fused, blockwise, sequential, exact, aligned in groups",
    [](const FaultConditions& run) {
      return run.datapath->kind != Accumulation::aligned || is_in_groups(*run.datapath);
    }};
// Elsewhere a sum that cancels is a zero like any other.
inline constexpr FaultNeed of_cancelled_sums{
    "a datapath of fused, aligned in groups", [](const FaultConditions& run) {
      return run.datapath->kind == Accumulation::fused || is_in_groups(*run.datapath);
    }};
inline constexpr FaultNeed of_rne{
    "a datapath of fused, blockwise, sequential, exact, aligned with output rne",
    [](const FaultConditions& run) {
      return run.datapath->kind != Accumulation::aligned ||
             run.datapath->alignment.output == SumRounding::rne;
    }};

struct Fault {
  std::string_view name;
  std::string_view part;  // of the hardware
  std::string_view what;
  const FaultNeed* need = &needs_nothing;   // of what is drawn
  const FaultNeed* place = &needs_nothing;  // of the datapath
};

inline constexpr std::array faults{
    Fault{"decode_subnormal", "decoder", "a subnormal element gets the hidden bit", &needs_fields},
    Fault{"decode_max_as_nan", "NaN rule", "the largest e4m3 number is taken for NaN too",
          &needs_e4m3},
    Fault{"sign_both_negative", "sign", "the last lane's product of two negatives is negative",
          &needs_e8m0, &of_sums},
    Fault{"multiply_max", "multiplier", "15 · 15 loses its lowest bit", &needs_wide_significands},
    Fault{"sum_last_lane", "sum", "the last lane is not added where the first is negative",
          &needs_e8m0, &of_sums},
    Fault{"sum_one_bit_short", "sum", "the sum wraps one bit too early", &needs_widest_sums,
          &of_sums},
    Fault{"sum_all_cancelled", "sum", "a sum that cancels counts as no nonzero product",
          &needs_nothing, &of_cancelled_sums},
    Fault{"scale_code_zero", "scale", "scale code 0 is taken for 2^-126", &needs_e8m0},
    Fault{"scale_product_saturates", "scale", "the product of scales is kept below 2^128",
          &needs_e8m0},
    Fault{"nan_scale_without_product", "NaN rule",
          "a NaN scale is ignored where no product is nonzero", &needs_nothing, &of_binary32},
    Fault{"nan_payload", "NaN rule", "a NaN accumulator keeps its payload", &needs_nothing,
          &of_binary32},
    Fault{"inf_changes_sign", "NaN rule", "Inf takes the sign of the block that follows",
          &needs_nothing, &of_binary32},
    Fault{"align_wraps", "alignment", "alignment distances of 64 and more wrap", &needs_nothing,
          &of_binary32},
    Fault{"align_sticky", "alignment", "bits shifted out in the alignment are forgotten",
          &needs_e8m0, &of_binary32},
    Fault{"round_subnormal", "rounding", "subnormal results are truncated", &needs_e8m0, &of_rne},
    Fault{"round_overflow", "rounding", "overflow gives the largest finite number", &needs_e8m0},
    Fault{"tie_away", "tie", "ties are rounded away from zero", &needs_nothing, &of_rne},
    Fault{"acc_minus_zero", "accumulator", "-0 becomes +0 where no product is nonzero",
          &needs_nothing, &of_binary32},
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
