#pragma once
// What the tables of corner cases look at. Included by corner_case_tables.h alone.

#include <algorithm>

#include "emu/binary32.h"
#include "emu/dot_aligned.h"
#include "emu/vectors/corner_cases.h"
#include "emu/vectors/rounded_sum.h"

namespace mxref::corner_case_tables {

// A vector and what happens in it.
struct Facts {
  const VectorView& vector;
  BlockSum sum;
  bool nan_scale;
  std::vector<RoundedSum> sums;
  std::vector<AlignedStep> steps;  // of aligned

  const Datapath& datapath() const { return *vector.target.datapath; }
  uint32_t in() const { return vector.acc_in; }
  uint32_t out() const { return vector.acc_out; }
  bool is_finite() const {
    return !sum.is_nan && sum.infinity == 0 && !nan_scale && binary32::is_finite(in());
  }
  bool any(bool (*holds)(const RoundedSum&)) const { return std::ranges::any_of(sums, holds); }
  // What the same operands give on another datapath.
  uint32_t on(const Datapath& other) const { return dot_ref(other, in(), vector.a, vector.b); }
  // Whether a term of an aligned step holds(term, the step's greatest exponent - F).
  bool any_term(bool (*holds)(const AlignedTerm&, int unit_log2)) const {
    for (const AlignedStep& step : steps)
      for (const AlignedTerm& term : step.terms)
        if (holds(term, step.greatest_exponent() - datapath().alignment.fraction_bits)) return true;
    return false;
  }
};

inline bool loses_bits(const AlignedTerm& term, int unit_log2) {
  const int shift = unit_log2 - term.unit_log2;
  if (shift <= 0 || term.magnitude == 0) return false;
  return shift > 127 || truncated(term, unit_log2) << shift != term.magnitude;
}
// floor(log2) of the term, above the exponent by which it is aligned.
inline bool is_above_its_exponent(const AlignedTerm& term, int) {
  return term.magnitude != 0 &&
         term.unit_log2 + binary32::bit_width(term.magnitude) - 1 > term.exponent;
}

inline bool always(const VectorTarget&) { return true; }
inline bool is_aligned(const VectorTarget& t) { return t.datapath->kind == Accumulation::aligned; }
inline bool is_ieee(const VectorTarget& t) { return !is_aligned(t); }
// Scales that take a block beyond binary32 at both ends; those of nvfp4 do not.
inline bool is_wide(const VectorTarget& t) { return !t.a->has_tensor_scale(); }
inline bool is_nearest(const VectorTarget& t) {
  return is_ieee(t) || t.datapath->alignment.output == SumRounding::rne;
}
// Aligned to fewer bits than binary32 keeps, a sum has bits to be rounded only where it lies far
// above its greatest term: then no vectors are promised for what rounding does to certain numbers.
inline bool is_nearest_with_bits_below(const VectorTarget& t) {
  return is_nearest(t) &&
         (is_ieee(t) || t.datapath->alignment.fraction_bits > binary32::mantissa_bits);
}
// A block's sum can have more bits than binary32: a power of two less the least product.
inline bool has_bits_below(const VectorTarget& t) {
  int binades = 0;
  for (const ElementFormat* f : {t.a->element, t.b->element})
    binades += binary32::bit_width(f->magnitude_units(f->max_code())) - 1;
  return binades > binary32::mantissa_bits + 1;
}
inline bool is_truncated(const VectorTarget& t) { return !is_nearest(t); }
inline bool has_infinity(const VectorTarget& t) {
  return t.a->element->has_inf() || t.b->element->has_inf();
}
inline bool meets_opposite(const Facts& f, bool negative) {
  return f.sum.infinity == (negative ? -1 : 1) &&
         f.in() == (binary32::infinity | (negative ? 0 : binary32::sign_mask));
}

}  // namespace mxref::corner_case_tables
