#pragma once
// Toggles that the runs which collect coverage cannot show, and why. A test asks each whether it
// still leaves out a point, and none that was reached.

#include <array>

#include "rtl_models/cosim/coverage.h"

namespace mxref {

namespace waived_because {
// Reasons of several.
inline constexpr std::string_view no_fault = "no fault is planted while coverage is collected";
inline constexpr std::string_view empty_places = "three places below the wider operand are empty";
inline constexpr std::string_view short_runs =
    "the runs that collect coverage are of 2^16 cycles at most; a test counts beyond 2^20";
inline constexpr std::string_view long_tiles =
    "a tile has 20 blocks at most; a test fills the sum with 2^16";
inline constexpr std::string_view short_blocks =
    "the second block of a step is nvfp4's, of 16 lanes";
inline constexpr std::string_view start_below = "a binary32 has no bit below 2^-149";
inline constexpr std::string_view largest_product = "the largest product is 128 · 128";
inline constexpr std::string_view start_errors = "a start's errors have codes below 16";
inline constexpr std::string_view packet_errors = "a packet's errors have codes 18 and 19";
}  // namespace waived_because

inline constexpr std::array coverage_waivers{
    // Planted faults.
    CoverageWaiver{"*", "fault_i", waived_because::no_fault},
    CoverageWaiver{"e8m0_scale.sv", "code_zero_is_one", waived_because::no_fault},
    CoverageWaiver{"e8m0_scale.sv", "saturates", waived_because::no_fault},
    CoverageWaiver{"fp32_accumulate.sv", "align_forgets", waived_because::no_fault},
    CoverageWaiver{"fp32_accumulate.sv", "align_wraps", waived_because::no_fault},
    CoverageWaiver{"fp32_accumulate.sv", "inf_flips", waived_because::no_fault},
    CoverageWaiver{"fp32_accumulate.sv", "keeps_payload", waived_because::no_fault},
    CoverageWaiver{"fp32_accumulate.sv", "minus_zero_lost", waived_because::no_fault},
    CoverageWaiver{"fp32_round.sv", "overflow_is_max", waived_because::no_fault},
    CoverageWaiver{"fp32_round.sv", "tie_away", waived_because::no_fault},
    CoverageWaiver{"fp32_round.sv", "truncates", waived_because::no_fault},
    CoverageWaiver{"mx_block_sum.sv", "cancelled_is_zero", waived_because::no_fault},
    CoverageWaiver{"mx_block_sum.sv", "last_lane_lost", waived_because::no_fault},
    CoverageWaiver{"mx_block_sum.sv", "last_negative", waived_because::no_fault},
    CoverageWaiver{"mx_block_sum.sv", "one_bit_short", waived_because::no_fault},
    CoverageWaiver{"mx_decode.sv", "max_is_nan", waived_because::no_fault},
    CoverageWaiver{"mx_decode.sv", "subnormal_is_normal", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "format_kept", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "gap_is_read", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "overwrites", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "repeats", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "swapped", waived_because::no_fault},
    CoverageWaiver{"mx_mac_array.sv", "withdrawn", waived_because::no_fault},
    CoverageWaiver{"mx_mul.sv", "loses_lowest_bit", waived_because::no_fault},
    // Constants.
    CoverageWaiver{"fp32_accumulate.sv", "flushed", "with FTZ alone, whose arrays collect corners"},
    CoverageWaiver{"fp32_accumulate.sv", "nan[0-21]", "the canonical NaN"},
    CoverageWaiver{"fp32_accumulate.sv", "nan[31]", "the canonical NaN"},
    CoverageWaiver{"fp32_accumulate.sv", "infinity[0-22]", "of Inf the sign alone varies"},
    CoverageWaiver{"fp32_accumulate.sv", "zero_sum[0-30]", "of zero the sign alone varies"},
    CoverageWaiver{"mx_scale.sv", "e8m0_significand[1-7]",
                   "the significand of a power of two is 1"},
    CoverageWaiver{"ue4m3_scale.sv", "a_flags[1-2]", "e4m3 has no Inf"},
    CoverageWaiver{"ue4m3_scale.sv", "b_flags[1-2]", "e4m3 has no Inf"},
    // Bits that hold zero: the room of a number that has fewer bits, or is never so large.
    CoverageWaiver{"fp32_accumulate.sv", "acc_window[0-2]", "an accumulator has 24 bits, on top"},
    CoverageWaiver{"fp32_accumulate.sv", "acc_window[27-42]", "an accumulator has 24 bits, on top"},
    CoverageWaiver{"fp32_accumulate.sv", "term_window[0-2]", waived_because::empty_places},
    CoverageWaiver{"fp32_accumulate.sv", "high[0-2]", waived_because::empty_places},
    CoverageWaiver{"fp32_accumulate.sv", "low[0-2]", waived_because::empty_places},
    CoverageWaiver{"fp32_accumulate.sv", "lost[0-2]", waived_because::empty_places},
    CoverageWaiver{"fp32_accumulate.sv", "acc_exponent[8-9]", "of a binary32, biased: eight bits"},
    CoverageWaiver{"fp32_accumulate.sv", "high_exponent[9]",
                   "not below that of the accumulator: never negative"},
    CoverageWaiver{"fp32_from_term.sv", "window[0]", "the place of a guard bit"},
    CoverageWaiver{"fp32_from_term.sv", "lost[26-69]", "at most 26 places are shifted out"},
    CoverageWaiver{"fp32_round.sv", "rounded[32]", "of the largest exponent it is below 2^32"},
    CoverageWaiver{"mx_scale.sv", "ue4m3_exponent[8-9]",
                   "of two ue4m3 and the units of e2m1: 107 to 135"},
    CoverageWaiver{"ue4m3_scale.sv", "exponent_o[8-9]",
                   "of two ue4m3 and the units of e2m1: 107 to 135"},
    CoverageWaiver{"mx_mul.sv", "significand_o[15]", waived_because::largest_product},
    CoverageWaiver{"mx_mul.sv", "product[15]", waived_because::largest_product},
    CoverageWaiver{"mx_aligned_term.sv", "place[6-9]", "two places of e5m2: at most 60"},
    CoverageWaiver{"mx_aligned_term.sv", "scale_fraction[0]", "6, or 0"},
    CoverageWaiver{"mx_aligned_term.sv", "scale_fraction[3-7]", "6, or 0"},
    CoverageWaiver{"mx_pe_aligned.sv", "term_magnitude_q[768-1023]", waived_because::short_blocks},
    CoverageWaiver{"mx_aligned_accumulate.sv", "magnitude_i[768-1023]",
                   waived_because::short_blocks},
    CoverageWaiver{"mx_aligned_accumulate.sv", "unused_exponent",
                   "the exponent of a sum is in range"},
    CoverageWaiver{"mx_exact_round.sv", "start_magnitude[0-136]", waived_because::start_below},
    CoverageWaiver{"mx_exact_round.sv", "start_number[0-136]", waived_because::start_below},
    CoverageWaiver{"mx_exact_round.sv", "start_magnitude[415-594]", "a binary32 is below 2^128"},
    CoverageWaiver{"mx_exact_round.sv", "magnitude[581-593]", waived_because::long_tiles},
    CoverageWaiver{"mx_exact_round.sv", "significand[0-12]", waived_because::long_tiles},
    CoverageWaiver{"leading_zeros.sv", "word_i[581-593]", waived_because::long_tiles},
    // The accelerator: with buffers of three blocks, where it is covered.
    CoverageWaiver{"mx_accelerator.sv", "fault", waived_because::no_fault},
    CoverageWaiver{"mx_accelerator.sv", "s_axi_awprot_i", "protection bits are not read"},
    CoverageWaiver{"mx_accelerator.sv", "s_axi_arprot_i", "protection bits are not read"},
    CoverageWaiver{"mx_bank.sv", "memory[3][96-255]", "a buffer has three of four places"},
    CoverageWaiver{"mx_bank.sv", "memory[7]", "a buffer has three of four places"},
    CoverageWaiver{"mx_job.sv", "blocks_left_q[2-7]", "a job has three blocks at most"},
    CoverageWaiver{"mx_job.sv", "too_long",
                   "on `exact` alone; a test of it reaches its error code"},
    CoverageWaiver{"mx_job.sv", "format_a_q[3]", "seven formats"},
    CoverageWaiver{"mx_job.sv", "format_b_q[3]", "seven formats"},
    CoverageWaiver{"mx_job.sv", "lanes[6-7]", "a block of 32 at most"},
    CoverageWaiver{"mx_job.sv", "last_elements_q[6-7]", "a block of 32 at most"},
    CoverageWaiver{"mx_job.sv", "length[0-3]", "16 or 32"},
    CoverageWaiver{"mx_job.sv", "length[6-7]", "16 or 32"},
    CoverageWaiver{"mx_job.sv", "length_q[0-3]", "16 or 32"},
    CoverageWaiver{"mx_job.sv", "length_q[6-7]", "16 or 32"},
    CoverageWaiver{"mx_job.sv", "error_o[4]", waived_because::start_errors},
    CoverageWaiver{"mx_accelerator.sv", "start_error[4]", waived_because::start_errors},
    CoverageWaiver{"mx_registers.sv", "start_error_i[4]", waived_because::start_errors},
    CoverageWaiver{"mx_registers.sv", "read_error[4]", "a read's error has code 15"},
    CoverageWaiver{"mx_stream_in.sv", "error_o[2-3]", waived_because::packet_errors},
    CoverageWaiver{"mx_accelerator.sv", "stream_error[2-3]", waived_because::packet_errors},
    CoverageWaiver{"mx_registers.sv", "stream_error_i[2-3]", waived_because::packet_errors},
    CoverageWaiver{"mx_registers.sv", "busy_cycles_q[16-31]", waived_because::short_runs},
    CoverageWaiver{"mx_registers.sv", "stalled_cycles_q[16-31]", waived_because::short_runs},
    CoverageWaiver{"mx_registers.sv", "beats_q[16-31]", waived_because::short_runs},
    CoverageWaiver{"mx_registers.sv", "rows_out_q[16-31]", waived_because::short_runs},
    CoverageWaiver{"mx_registers.sv", "packets_q[16-31]", waived_because::short_runs},
    CoverageWaiver{"mx_registers.sv", "read_data_o[28-29]", "no register has these bits"},
    CoverageWaiver{"mx_accelerator.sv", "register_data[28-29]", "no register has these bits"},
    CoverageWaiver{"mx_results.sv", "unused_read", "the array does not read D"},
    CoverageWaiver{"mx_results.sv", "unused", "the array does not read D"},
};

}  // namespace mxref
