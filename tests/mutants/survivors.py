"""Mutants that the bench does not kill and ABC does not prove the same, and why they change nothing."""

from typing import NamedTuple


class Survivor(NamedTuple):
    design: str
    mutant: str  # as mutants.py names it
    reason: str


# fp32_accumulate takes a term whose leading bit stands below the top, with the exponent to match, for the number that
# it is: 48 places of its window lie below an accumulator in `fused`, 43 in `sequential`, so that what falls off lies
# below the guard bit, as before.
NOT_NORMAL = "the leading bit of a term stands up to {} places lower, with the exponent to match: the same number"

# A lane of the dequantizer makes a word that is 0, of which the number of zeros says nothing, or at least 2^23: a
# significand of g times a scale and a code, or a whole number above 24 bits of fraction.
FROM_23 = "the word is 0, whose zeros do not count, or at least 2^23: {}"
# A product under a tensor scale is at least 2^-136, ten places below the least normal number. A code has eight bits,
# 4/3 of it nine, or a third is left over.
LOST = "bit {} of a product is never lost; of a code, or of 4/3 of it, it is 0, or the mark of a third is there too"

E_ZERO = "the exponent of zero terms, -133, is never above the accumulator's, be that zero or not"

# Registers of the accelerator that hold a word for longer than anybody looks at it.
ONE_CYCLE = "{} is read in the cycle behind the one that loads it, and not where the register holds it"

SURVIVORS = (
    Survivor("fused", "const0 leading_zeros $eq$leading_zeros.sv:24 Y[0] (count_o[6])", NOT_NORMAL.format(5)),
    Survivor("fused", "const1 leading_zeros $eq$leading_zeros.sv:24 A[0] (gen_half[3].word[3])", NOT_NORMAL.format(4)),
    Survivor("sequential", "const1 leading_zeros $ternary$leading_zeros.sv:17 Y[34] (gen_half[6].word[34])",
             NOT_NORMAL.format(35)),
    Survivor("sequential", "const0 leading_zeros_2 $eq$leading_zeros.sv:24 Y[0] (count_o[6])",
             "of one product and an accumulator 64 bits cancel only at the least exponent, which limits the shift"),
    Survivor("sequential", "const1 mx_pe gen_whole_steps.gen_block.u_pe sum_first_i[0] (sum_first_i[0])",
             "a step behind a tile's first loads a C that nobody reads"),
    Survivor("tensorcore_mxf8", "cnot0 mx_pe_aligned $procdff Q[31] by [25] (term_negative_q[63])",
             "a step's second block is one of 16 lanes: what stands behind them is 0, of either sign"),
    Survivor("tensorcore_mxf8", "const0 mx_pe_aligned $procdff Q[0] (sum_zero_q[0])", E_ZERO),
    Survivor("tensorcore_mxf8", "cnot1 mx_stage $procmux B[1] by [0] (flags_i[1])",
             "u_sum turns a bit of the type over where u_term turns it back, and nothing reads it in between"),
    Survivor("aligned_groups", "inv mx_pe_aligned $procdff Q[0] (term_zero_q[0])", E_ZERO),
    Survivor("aligned_groups", "cnot1 mx_mac_array $procmux B[1] by [5]",
             "terms come in sixteens: two more than there are do not fill a step"),
    Survivor("quantizer", "inv mx_stage_2 $procmux B[36] (flags_i[36])",
             "u_in turns a bit of the seed over and u_max turns it back, and nothing reads it in between"),
    Survivor("dequantizer", "const0 fp32_from_term $and$fp32_from_term.sv:28 A[12]", LOST.format(12)),
    Survivor("dequantizer", "const1 fp32_from_term $shl$fp32_from_term.sv:28 Y[13]", LOST.format(13)),
    Survivor("dequantizer", "inv leading_zeros $eq$leading_zeros.sv:24 A[21]",
             FROM_23.format("the upper half is never 0, nor bit 22 alone")),
    Survivor("dequantizer", "const1 leading_zeros $ternary$leading_zeros.sv:17 B[8] (gen_half[5].word[8])",
             FROM_23.format("this half is taken below 2^17 alone")),
    Survivor("dequantizer", "cnot1 mx_dequantize_lane u_decode element_o[8] by [15] (significand[3])",
             "nothing reads an Inf's significand"),
    Survivor("accelerator", "const1 mx_bank_2 $procmux S[0] (a_re_i[0])",
             "C's bank: the array takes C with a tile's first beat, which never waits"),
    Survivor("accelerator", "const0 mx_bank_3 $procmux A[6] (b_data_o[6])", ONE_CYCLE.format("the host's word")),
    Survivor("accelerator", "cnot1 mx_address $ternary$mx_address.sv:41 Y[5] by [2] (major_o[5])",
             "a row or block from 4 on is not mapped, whatever its higher bits say"),
    Survivor("accelerator", "cnot1 mx_stream_in $procmux A[1] by [3]",
             "the place of a word that is written has no row or block from 8 on"),
    Survivor("accelerator", "const0 mx_tile_memory $procmux B[5] (read_major_i[5])",
             "this register is read for C alone, which has two rows; what is not mapped reads as zeros"),
    Survivor("accelerator", "const0 mx_axi_lite $procmux A[9]", ONE_CYCLE.format("the address")),
    Survivor("accelerator", "const0 mx_job $procdff Q[3] (length_q[3])", "a block has 16 or 32 elements: the bit is 0"),
)


def reason(design, mutant):
    """Why it changes nothing; empty where nobody says so."""
    return next((s.reason for s in SURVIVORS if (s.design, s.mutant) == (design, mutant)), "")
