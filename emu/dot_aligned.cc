#include "emu/dot_aligned.h"

#include <algorithm>

#include "emu/binary32.h"
#include "emu/codec.h"

namespace mxref {
namespace {

using binary32::uint128;

// exponent = max(floor(log2|v|), emin of the format); an int8 element always has 0, as its largest
// binade is that of its least code alone.
int exponent_of(const ElementFormat& f, uint32_t code) {
  const auto v = f.parts(f.magnitude(code));
  return std::clamp(v.exponent + int(std::bit_width(v.significand)) - 1, f.emin(), f.emax());
}

// The same of a scale, and what its significand adds to a product: its value / 2^exponent.
int exponent_of(const ScaleFormat& f, uint8_t code) {
  return f.number ? exponent_of(*f.number, code & f.number->magnitude_mask())
                  : f.parts(code).exponent;
}

AlignedTerm accumulator_term(uint32_t acc, int e_zero) {
  const binary32::Parts v = binary32::parts(acc);
  if (v.significand == 0) return {.exponent = e_zero};
  return {std::max(binary32::floor_log2(acc), binary32::emin), binary32::is_negative(acc),
          v.significand, v.exponent};
}

// The products `first` … `first + group` of a row, summed exactly, as one term. With groups of one
// the exponents of the elements count too.
void add_group(AlignedStep& step, const Alignment& alignment, const RowView& a, const RowView& b,
               size_t first) {
  const ElementFormat &format_a = *a.format->element, &format_b = *b.format->element;
  const size_t end = std::min(first + size_t(alignment.group), a.codes.size());
  if (first >= end) return step.terms.push_back({.exponent = alignment.e_zero});  // padding

  const size_t count = end - first, block = first / size_t(a.block);
  const uint8_t scale_a = a.scales[block], scale_b = b.scales[block];
  const BlockSum sum =
      block_sum(format_a, a.codes.subspan(first, count), format_b, b.codes.subspan(first, count));
  step.is_nan |= sum.is_nan || a.format->scale->is_nan(scale_a) || b.format->scale->is_nan(scale_b);
  if (step.is_nan) return;
  if (sum.infinity != 0) return step.add_infinity(sum.infinity < 0);

  const auto x = a.format->scale->parts(scale_a), y = b.format->scale->parts(scale_b);
  const uint64_t scale_significand = uint64_t(x.significand) * y.significand;
  if (!sum.has_nonzero_product || scale_significand == 0)
    return step.terms.push_back({.exponent = alignment.e_zero});
  int exponent = exponent_of(*a.format->scale, scale_a) + exponent_of(*b.format->scale, scale_b);
  if (alignment.group == 1)
    exponent += exponent_of(format_a, a.codes[first]) + exponent_of(format_b, b.codes[first]);
  const bool negative = sum.units < 0;
  step.terms.push_back({exponent, negative,
                        uint128(negative ? -sum.units : sum.units) * scale_significand,
                        sum.unit_log2 + x.exponent + y.exponent});
}

// ±magnitude · 2^unit_log2 → binary32, every zero +0.
uint32_t round_sum(bool negative, uint128 magnitude, int unit_log2, SumRounding rounding) {
  const uint32_t bits =
      rounding == SumRounding::rne
          ? binary32::round_rne(negative, magnitude, unit_log2)
          : binary32::truncate(negative, magnitude, unit_log2,
                               rounding == SumRounding::rz13 ? 13 : binary32::mantissa_bits);
  return bits == binary32::sign_mask ? 0 : bits;
}

uint32_t finish(const Datapath& datapath, const AlignedStep& step) {
  if (step.is_nan || (step.has_infinity[0] && step.has_infinity[1])) return aligned_nan;
  if (step.has_infinity[0]) return binary32::infinity;
  if (step.has_infinity[1]) return binary32::sign_mask | binary32::infinity;

  const int unit_log2 = step.greatest_exponent() - datapath.alignment.fraction_bits;
  __int128 sum = 0;
  for (const AlignedTerm& term : step.terms) {
    const auto magnitude = __int128(truncated(term, unit_log2));
    sum += term.negative ? -magnitude : magnitude;
  }
  const uint32_t bits =
      round_sum(sum < 0, uint128(sum < 0 ? -sum : sum), unit_log2, datapath.alignment.output);
  return datapath.ftz && binary32::is_subnormal(bits) ? 0 : bits;
}

}  // namespace

int AlignedStep::greatest_exponent() const {
  int greatest = terms.front().exponent;
  for (const AlignedTerm& term : terms) greatest = std::max(greatest, term.exponent);
  return greatest;
}

uint128 truncated(const AlignedTerm& term, int unit_log2) {
  if (term.magnitude == 0) return 0;  // its unit says nothing
  const int shift = term.unit_log2 - unit_log2;
  if (shift >= 0) return term.magnitude << shift;
  return shift > -128 ? term.magnitude >> -shift : 0;
}

AlignedStep aligned_step(const Alignment& alignment, uint32_t acc, const RowView& a,
                         const RowView& b, size_t first) {
  AlignedStep step;
  step.is_nan = binary32::is_nan(acc);
  if (binary32::is_inf(acc))
    step.add_infinity(binary32::is_negative(acc));
  else if (!step.is_nan)
    step.terms.push_back(accumulator_term(acc, alignment.e_zero));
  const size_t end = first + size_t(alignment.terms);
  for (size_t i = first; i < end && !step.is_nan; i += size_t(alignment.group))
    add_group(step, alignment, a, b, i);
  return step;
}

uint32_t aligned(const Datapath& datapath, uint32_t acc, const RowView& a, const RowView& b) {
  for (size_t first = 0; first < a.codes.size(); first += size_t(datapath.alignment.terms))
    acc = finish(datapath, aligned_step(datapath.alignment, acc, a, b, first));
  return acc;
}

}  // namespace mxref
