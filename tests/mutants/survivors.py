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

SURVIVORS = (
    Survivor("fused", "const0 leading_zeros $eq$leading_zeros.sv:24 Y[0] (count_o[6])", NOT_NORMAL.format(5)),
    Survivor("fused", "const1 leading_zeros $eq$leading_zeros.sv:24 A[0] (gen_half[3].word[3])", NOT_NORMAL.format(4)),
    Survivor("sequential", "const1 leading_zeros $ternary$leading_zeros.sv:17 Y[34] (gen_half[6].word[34])",
             NOT_NORMAL.format(35)),
    Survivor("sequential", "const0 leading_zeros_2 $eq$leading_zeros.sv:24 Y[0] (count_o[6])",
             "of one product and an accumulator 64 bits cancel only at the least exponent, which limits the shift"),
    Survivor("sequential", "const1 mx_edge $and$mx_edge.sv:30 B[2]",
             "the steps of a block end with its last lane: what lies behind it is never shown"),
    Survivor("tensorcore_mxf8", "cnot1 mx_stage $procmux B[1] by [0] (flags_i[1])",
             "u_sum turns a bit of the type over where u_term turns it back, and nothing reads it in between"),
)


def reason(design, mutant):
    """Why it changes nothing; empty where nobody says so."""
    return next((s.reason for s in SURVIVORS if (s.design, s.mutant) == (design, mutant)), "")
