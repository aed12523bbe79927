#pragma once
// The tables of corner cases (ARITHMETIC.md §1, §3, §4): name, where it applies, and what of a
// vector reaches it. A case is added here and nowhere else. Included by corner_cases.cc alone.

#include <algorithm>
#include <array>

#include "emu/codec.h"
#include "emu/e8m0.h"
#include "emu/vectors/corner_case_facts.h"

namespace mxref::corner_case_tables {

// --- §1: an element of either operand

struct ElementCase {
  std::string_view name;
  bool (*applies)(const ElementFormat& f);
  bool (*matches)(const ElementFormat& f, uint32_t code);
};
constexpr bool every_format(const ElementFormat&) { return true; }
constexpr bool has_signed_zero(const ElementFormat& f) { return f.sign == Sign::magnitude; }
inline constexpr std::array element_cases{
    ElementCase{"+0", every_format, [](const auto&, uint32_t code) { return code == 0; }},
    ElementCase{"-0", has_signed_zero,
                [](const auto& f, uint32_t code) { return code == f.sign_mask(); }},
    ElementCase{"least number above zero", every_format,
                [](const auto&, uint32_t code) { return code == 1; }},
    ElementCase{"greatest subnormal", has_signed_zero,
                [](const auto& f, uint32_t code) { return code == f.mantissa_mask(); }},
    ElementCase{"least normal", has_signed_zero,
                [](const auto& f, uint32_t code) { return code == f.mantissa_mask() + 1; }},
    ElementCase{"greatest finite", every_format,
                [](const auto& f, uint32_t code) { return code == f.max_code(); }},
    ElementCase{"least finite", every_format,
                [](const auto& f, uint32_t code) { return code == f.code(true, f.max_code()); }},
    ElementCase{"-2.0, which no conversion gives",
                [](const ElementFormat& f) { return f.sign == Sign::twos_complement; },
                [](const auto& f, uint32_t code) { return code == f.sign_mask(); }},
    ElementCase{"NaN", [](const ElementFormat& f) { return f.has_nan(); },
                [](const auto& f, uint32_t code) { return is_nan(f, code); }},
    ElementCase{
        "+Inf", [](const ElementFormat& f) { return f.has_inf(); },
        [](const auto& f, uint32_t code) { return is_inf(f, code) && !is_negative(f, code); }},
    ElementCase{
        "-Inf", [](const ElementFormat& f) { return f.has_inf(); },
        [](const auto& f, uint32_t code) { return is_inf(f, code) && is_negative(f, code); }},
};

// --- §1, §6: a scale of either operand

struct ScaleCase {
  std::string_view name;
  bool ue4m3_only;
  bool (*matches)(const ScaleFormat& f, uint8_t code);
};
inline constexpr std::array scale_cases{
    ScaleCase{"least code", false,
              [](const auto& f, uint8_t code) {
                return !f.is_nan(code) && (f.number ? code & 0x7F : code) == 0;
              }},
    ScaleCase{"greatest", false,
              [](const auto& f, uint8_t code) {
                return code == (f.number ? f.number->max_code() : f.nan - 1u);
              }},
    ScaleCase{"1", false,
              [](const auto& f, uint8_t code) {
                return code == (f.number ? f.number->bias << f.number->mantissa_bits : e8m0::bias);
              }},
    ScaleCase{"NaN", false, [](const auto& f, uint8_t code) { return f.is_nan(code); }},
    ScaleCase{"least number above zero", true, [](const auto&, uint8_t code) { return code == 1; }},
    ScaleCase{"sign bit set, which is ignored", true,
              [](const auto& f, uint8_t code) { return code > 0x80 && !f.is_nan(code); }},
};

// --- §3, §4: the accumulator, the sum, its rounding

struct SumCase {
  std::string_view name;
  bool (*applies)(const VectorTarget& target);
  bool (*matches)(const Facts& facts);
};
inline constexpr std::array accumulator_cases{
    SumCase{"accumulator +0", always, [](const Facts& f) { return f.in() == 0; }},
    SumCase{"accumulator -0", always, [](const Facts& f) { return f.in() == 0x80000000; }},
    SumCase{"accumulator least subnormal", always, [](const Facts& f) { return f.in() == 1; }},
    SumCase{"accumulator greatest subnormal", always,
            [](const Facts& f) { return f.in() == 0x007FFFFF; }},
    SumCase{"accumulator least normal", always,
            [](const Facts& f) { return f.in() == 0x00800000; }},
    SumCase{"accumulator greatest finite", always,
            [](const Facts& f) { return f.in() == 0x7F7FFFFF; }},
    SumCase{"accumulator least finite", always,
            [](const Facts& f) { return f.in() == 0xFF7FFFFF; }},
    SumCase{"accumulator +Inf", always, [](const Facts& f) { return f.in() == 0x7F800000; }},
    SumCase{"accumulator -Inf", always, [](const Facts& f) { return f.in() == 0xFF800000; }},
    SumCase{"accumulator NaN that signals", always,
            [](const Facts& f) { return binary32::is_nan(f.in()) && !(f.in() & 0x00400000); }},
    SumCase{
        "accumulator NaN with the sign", always,
        [](const Facts& f) { return binary32::is_nan(f.in()) && binary32::is_negative(f.in()); }},
    SumCase{"Inf times 0 is NaN", has_infinity,
            [](const Facts& f) {
              for (size_t i = 0; i < f.vector.a.codes.size(); ++i) {
                const ElementFormat &a = *f.vector.a.format->element,
                                    &b = *f.vector.b.format->element;
                const uint8_t x = f.vector.a.codes[i], y = f.vector.b.codes[i];
                if ((is_inf(a, x) && b.magnitude(y) == 0) || (is_inf(b, y) && a.magnitude(x) == 0))
                  return true;
              }
              return false;
            }},
    SumCase{"the block's infinity, +", has_infinity,
            [](const Facts& f) { return !f.sum.is_nan && f.sum.infinity > 0; }},
    SumCase{"the block's infinity, -", has_infinity,
            [](const Facts& f) { return !f.sum.is_nan && f.sum.infinity < 0; }},
    SumCase{"Inf - Inf in the block is NaN", has_infinity,
            [](const Facts& f) {
              bool infinity[2] = {};
              for (size_t i = 0; i < f.vector.a.codes.size(); ++i) {
                const BlockSum one =
                    block_sum(*f.vector.a.format->element, f.vector.a.codes.subspan(i, 1),
                              *f.vector.b.format->element, f.vector.b.codes.subspan(i, 1));
                if (one.infinity != 0 && !one.is_nan) infinity[one.infinity < 0] = true;
              }
              return infinity[0] && infinity[1];
            }},
    SumCase{"accumulator +Inf meets the block's -Inf", has_infinity,
            [](const Facts& f) { return !f.sum.is_nan && meets_opposite(f, true); }},
    SumCase{"accumulator -Inf meets the block's +Inf", has_infinity,
            [](const Facts& f) { return !f.sum.is_nan && meets_opposite(f, false); }},
    SumCase{"accumulator Inf meets a finite block", always,
            [](const Facts& f) {
              return binary32::is_inf(f.in()) && f.sum.has_nonzero_product && !f.nan_scale &&
                     f.sum.infinity == 0;
            }},
};

inline constexpr std::array sum_cases{
    SumCase{
        "no nonzero product meets +0", always,
        [](const Facts& f) { return f.is_finite() && !f.sum.has_nonzero_product && f.in() == 0; }},
    SumCase{"no nonzero product meets -0", always,
            [](const Facts& f) {
              return f.is_finite() && !f.sum.has_nonzero_product && f.in() == 0x80000000;
            }},
    SumCase{"no nonzero product meets a subnormal accumulator", always,
            [](const Facts& f) {
              return f.is_finite() && !f.sum.has_nonzero_product && binary32::is_subnormal(f.in());
            }},
    SumCase{"products cancel in the block and meet -0", always,
            [](const Facts& f) {
              return f.is_finite() && f.sum.has_nonzero_product && f.sum.units == 0 &&
                     f.in() == 0x80000000;
            }},
    SumCase{"products cancel in the block and meet a number", always,
            [](const Facts& f) {
              return f.is_finite() && f.sum.has_nonzero_product && f.sum.units == 0 &&
                     (f.in() & 0x7FFFFFFF) != 0;
            }},
    SumCase{"the sum cancels the accumulator exactly", always,
            [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.cancels; }); }},
    SumCase{"a subtraction loses 12 binades or more", always,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.cancelled_bits >= 12; });
            }},
    SumCase{"every product is the greatest, all of one sign", always,
            [](const Facts& f) {
              const ElementFormat &a = *f.vector.a.format->element,
                                  &b = *f.vector.b.format->element;
              return f.sum.units == __int128(a.max_units()) * __int128(b.max_units()) *
                                        __int128(f.vector.a.codes.size()) ||
                     f.sum.units == __int128(a.magnitude_units(a.max_code())) *
                                        __int128(b.magnitude_units(b.max_code())) *
                                        __int128(f.vector.a.codes.size());
            }},
    SumCase{"tie, the even number is nearer to zero", is_nearest,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.is_tie && !s.is_up; });
            }},
    SumCase{"tie, the even number is farther from zero", is_nearest,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.is_tie && s.is_up; });
            }},
    SumCase{"rounded away from zero, above", is_nearest,
            [](const Facts& f) {
              return f.any(
                  [](const RoundedSum& s) { return s.is_up && s.above_half && !s.negative; });
            }},
    SumCase{"rounded away from zero, below", is_nearest,
            [](const Facts& f) {
              return f.any(
                  [](const RoundedSum& s) { return s.is_up && s.above_half && s.negative; });
            }},
    SumCase{"rounded toward zero, above", always,
            [](const Facts& f) {
              return f.any(
                  [](const RoundedSum& s) { return s.is_inexact && !s.is_up && !s.negative; });
            }},
    SumCase{"rounded toward zero, below", always,
            [](const Facts& f) {
              return f.any(
                  [](const RoundedSum& s) { return s.is_inexact && !s.is_up && s.negative; });
            }},
    SumCase{"truncated though the next number is nearer", is_truncated,
            [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.above_half; }); }},
    SumCase{"a rounding carries into the next binade", is_nearest_with_bits_below,
            [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.carries; }); }},
    SumCase{
        "the accumulator absorbs the sum", is_ieee,
        [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.keeps_first; }); }},
    SumCase{
        "the sum absorbs the accumulator", is_ieee,
        [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.keeps_second; }); }},
    SumCase{"a subnormal result", is_wide,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return binary32::is_subnormal(s.result); });
            }},
    SumCase{"a subnormal result that is rounded", is_wide,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) {
                return s.is_inexact && binary32::is_subnormal(s.result);
              });
            }},
    SumCase{"a result that is not zero rounds to zero", is_wide,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return !s.is_zero && (s.result << 1) == 0; });
            }},
    SumCase{"half of the least subnormal",
            [](const VectorTarget& t) { return is_wide(t) && is_nearest_with_bits_below(t); },
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.is_tie && (s.result << 1) == 0; });
            }},
    SumCase{"a sum below the least normal number rounds to it",
            [](const VectorTarget& t) {
              return is_wide(t) && is_nearest_with_bits_below(t) &&
                     (t.datapath->kind != Accumulation::blockwise || has_bits_below(t));
            },
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) {
                return s.below_normal && (s.result & 0x7FFFFFFF) == 0x00800000;
              });
            }},
    SumCase{"a rounded result is the greatest finite number",
            [](const VectorTarget& t) { return is_wide(t) && is_nearest_with_bits_below(t); },
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.is_inexact && s.is_greatest; });
            }},
    SumCase{
        "a truncated result is the greatest number of its bits",
        [](const VectorTarget& t) { return is_wide(t) && is_truncated(t); },
        [](const Facts& f) { return f.any([](const RoundedSum& s) { return s.is_greatest; }); }},
    SumCase{"overflow to +Inf", is_wide,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.result == 0x7F800000; });
            }},
    SumCase{"overflow to -Inf", is_wide,
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) { return s.result == 0xFF800000; });
            }},
};

inline constexpr std::array datapath_cases{
    SumCase{"one rounding and two differ",
            [](const VectorTarget& t) {
              return t.datapath->kind != Accumulation::sequential && is_ieee(t);
            },
            [](const Facts& f) {
              return f.is_finite() && f.on(datapath("fused")) != f.on(datapath("blockwise"));
            }},
    SumCase{"the order of summation decides", is_ieee,
            [](const Facts& f) {
              return f.is_finite() && f.on(datapath("fused")) != f.on(datapath("sequential"));
            }},
    SumCase{"the rounded block overflows and meets the opposite infinity",
            [](const VectorTarget& t) {
              return t.datapath->kind == Accumulation::blockwise && is_wide(t);
            },
            [](const Facts& f) {
              return binary32::is_inf(f.in()) && binary32::is_nan(f.out()) && !f.nan_scale &&
                     !f.sum.is_nan && f.sum.infinity == 0;
            }},
    SumCase{"ftz flushes a result above zero",
            [](const VectorTarget& t) { return t.datapath->ftz && is_wide(t); },
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) {
                return binary32::is_subnormal(s.result) && !s.negative;
              });
            }},
    SumCase{"ftz flushes a result below zero",
            [](const VectorTarget& t) { return t.datapath->ftz && is_wide(t); },
            [](const Facts& f) {
              return f.any([](const RoundedSum& s) {
                return binary32::is_subnormal(s.result) && s.negative;
              });
            }},
    SumCase{"alignment drops bits of a term above zero", is_aligned,
            [](const Facts& f) {
              return f.any_term([](const AlignedTerm& t, int unit) {
                return !t.negative && loses_bits(t, unit);
              });
            }},
    SumCase{"alignment drops bits of a term below zero", is_aligned,
            [](const Facts& f) {
              return f.any_term(
                  [](const AlignedTerm& t, int unit) { return t.negative && loses_bits(t, unit); });
            }},
    SumCase{"alignment drops a whole term", is_aligned,
            [](const Facts& f) {
              return f.any_term([](const AlignedTerm& t, int unit) {
                return t.magnitude != 0 && truncated(t, unit) == 0;
              });
            }},
    SumCase{"a term is aligned by an exponent below its own", is_aligned,
            [](const Facts& f) { return f.any_term(is_above_its_exponent); }},
    SumCase{"bits below F would change the result", is_aligned,
            [](const Facts& f) {
              Datapath finer = f.datapath();
              finer.alignment.fraction_bits += 4;
              return f.is_finite() && f.on(finer) != f.out();
            }},
    SumCase{"e_zero is the greatest exponent though a term is not zero",
            [](const VectorTarget& t) { return is_aligned(t) && is_wide(t); },
            [](const Facts& f) {
              for (const AlignedStep& step : f.steps) {
                const int e_zero = f.datapath().alignment.e_zero;
                bool any_nonzero = false, any_above = false;
                for (const AlignedTerm& term : step.terms) {
                  any_nonzero |= term.magnitude != 0;
                  any_above |= term.magnitude != 0 && term.exponent >= e_zero;
                }
                if (any_nonzero && !any_above && step.greatest_exponent() == e_zero) return true;
              }
              return false;
            }},
    SumCase{"a group cancels and keeps the greatest exponent",
            [](const VectorTarget& t) { return is_aligned(t) && t.datapath->alignment.group > 1; },
            [](const Facts& f) {
              for (const AlignedStep& step : f.steps)
                for (const AlignedTerm& term : step.terms)
                  if (&term != step.terms.data() && term.magnitude == 0 &&
                      term.exponent != f.datapath().alignment.e_zero &&
                      term.exponent == step.greatest_exponent() && step.terms[0].magnitude != 0)
                    return true;
              return false;
            }},
    SumCase{"a step rounds between the products of a block",
            [](const VectorTarget& t) {
              return is_aligned(t) && t.datapath->alignment.terms < t.a->block;
            },
            [](const Facts& f) {
              Datapath whole = f.datapath();
              whole.alignment.terms = f.vector.a.block;
              return f.is_finite() && f.on(whole) != f.out();
            }},
};

}  // namespace mxref::corner_case_tables
