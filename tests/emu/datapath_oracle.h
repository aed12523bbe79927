#pragma once
// The datapaths of ARITHMETIC.md §4 by exact numbers and searches (exact_real.h): each step as its
// table words it.

#include <bit>

#include "emu/dot.h"
#include "tests/emu/exact_real.h"

namespace mxref::oracle {

inline constexpr uint32_t nan32 = 0x7FC00000;
inline constexpr uint32_t aligned_nan32 = 0x7FFFFFFF;

// A sum of extended numbers: what it is depends on no order.
struct Sum {
  bool nan = false, plus_infinity = false, minus_infinity = false;
  Real value = 0;

  void add(const Number& x) {
    if (x.kind == Number::nan) nan = true;
    if (x.kind == Number::infinite) (x.negative ? minus_infinity : plus_infinity) = true;
    if (x.kind == Number::finite) value += x.value();
  }
  bool is_nan() const { return nan || (plus_infinity && minus_infinity); }
  bool is_infinite() const { return plus_infinity || minus_infinity; }
  uint32_t infinity() const { return plus_infinity ? infinity32 : minus_zero32 | infinity32; }
};

inline bool is_subnormal32(uint32_t bits) {
  return (bits & 0x7FFFFFFF) > 0 && (bits & 0x7FFFFFFF) < 0x00800000;
}
inline uint32_t flushed(const Datapath& d, uint32_t bits) {
  if (!d.ftz || !is_subnormal32(bits)) return bits;
  return d.kind == Accumulation::aligned ? 0 : bits & minus_zero32;
}

// The operands of one product of a row: elements and scales.
struct Operands {
  Number a, b, scale_a, scale_b;
  Number elements() const { return product(a, b); }
  Number scales() const { return product(scale_a, scale_b); }
  Number scaled() const { return product(elements(), scales()); }
};
inline Operands operands(const RowView& a, const RowView& b, size_t k) {
  const size_t block = k / size_t(a.block);
  return {element(*a.format->element, a.codes[k]), element(*b.format->element, b.codes[k]),
          scale(*a.format->scale, a.scales[block]), scale(*b.format->scale, b.scales[block])};
}

// IEEE's addition of an exact number that may be a signed zero: RNE32(x + acc).
inline uint32_t ieee_sum(const Number& x, uint32_t acc) {
  const Number y = binary32_number(acc);
  Sum sum;
  sum.add(x);
  sum.add(y);
  if (sum.is_nan()) return nan32;
  if (sum.is_infinite()) return sum.infinity();
  if (sum.value != 0) return nearest32(sum.value);
  return x.is_zero() && y.is_zero() && x.negative && y.negative ? minus_zero32 : 0;
}

// The products of [begin, end) and acc, with one rounding: a block of `fused`, the whole of
// `exact`.
inline uint32_t one_rounding(const Datapath& d, uint32_t acc, const RowView& a, const RowView& b,
                             size_t begin, size_t end) {
  Sum sum;
  bool any_nonzero = false;
  sum.add(binary32_number(acc));
  for (size_t k = begin; k < end; ++k) {
    const Operands x = operands(a, b, k);
    sum.add(x.scaled());
    any_nonzero |= !x.elements().is_zero();
  }
  if (sum.is_nan()) return nan32;
  if (sum.is_infinite()) return sum.infinity();
  if (sum.value == 0) return acc == minus_zero32 && !any_nonzero ? acc : 0;
  return flushed(d, nearest32(sum.value));
}

inline uint32_t blockwise_step(const Datapath& d, uint32_t acc, const RowView& a, const RowView& b,
                               size_t begin, size_t end) {
  Sum sum;
  Real unscaled = 0;  // S
  for (size_t k = begin; k < end; ++k) {
    const Operands x = operands(a, b, k);
    sum.add(x.scaled());
    if (x.elements().kind == Number::finite) unscaled += x.elements().value();
  }
  if (sum.is_nan()) return nan32;
  uint32_t t = sum.is_infinite() ? sum.infinity() : flushed(d, nearest32(sum.value));
  if (t == 0 && unscaled < 0) t = minus_zero32;  // IEEE's product of a negative S and a scale of 0
  return flushed(d, ieee_sum(binary32_number(t), acc));
}

// --- aligned

// A nonzero element has the exponent max(floor(log2|v|), emin of its format), one of two's
// complement (int8) always 0; a ue4m3 scale likewise, an e8m0 scale its own.
inline int aligned_exponent(const ElementFormat& f, const Number& v) {
  return f.sign == Sign::twos_complement ? 0 : std::max(floor_log2(v), 1 - f.bias);
}
inline int aligned_exponent(const ScaleFormat& f, const Number& v) {
  return f.name == "e8m0" ? v.exponent : std::max(floor_log2(v), -6);
}

struct AlignedTerm {
  int exponent;
  Real value;
};

// The products [begin, end) of one group of T/G; there may be none (padding).
inline AlignedTerm aligned_group(const Alignment& g, const RowView& a, const RowView& b,
                                 size_t begin, size_t end) {
  AlignedTerm term{g.e_zero, 0};
  bool any_nonzero = false;
  for (size_t k = begin; k < end; ++k) {
    const Operands x = operands(a, b, k);
    if (x.scaled().is_zero()) continue;
    any_nonzero = true;
    term.value += x.scaled().value();
    term.exponent = aligned_exponent(*a.format->scale, x.scale_a) +
                    aligned_exponent(*b.format->scale, x.scale_b);
    if (g.group == 1)
      term.exponent +=
          aligned_exponent(*a.format->element, x.a) + aligned_exponent(*b.format->element, x.b);
  }
  return any_nonzero ? term : AlignedTerm{g.e_zero, 0};
}

inline Real truncated(const Real& value, int unit_log2) {
  if (unit_log2 <= real_unit_log2) return value;
  const Real unit = Real(1) << unsigned(unit_log2 - real_unit_log2);
  const Real magnitude = abs(value) / unit * unit;
  return value < 0 ? Real(-magnitude) : magnitude;
}

// acc and the next T products.
inline uint32_t aligned_step(const Datapath& d, uint32_t acc, const RowView& a, const RowView& b,
                             size_t first) {
  const Alignment& g = d.alignment;
  const size_t K = a.codes.size();
  Sum specials;
  specials.add(binary32_number(acc));
  for (size_t k = first; k < std::min(K, first + size_t(g.terms)); ++k)
    specials.add(operands(a, b, k).scaled());
  if (specials.is_nan()) return aligned_nan32;
  if (specials.is_infinite()) return specials.infinity();

  const Number start = binary32_number(acc);
  std::vector<AlignedTerm> terms{
      {start.is_zero() ? g.e_zero : std::max(floor_log2(start), -126), start.value()}};
  for (size_t k = first; k < first + size_t(g.terms); k += size_t(g.group))
    terms.push_back(aligned_group(g, a, b, std::min(K, k), std::min(K, k + size_t(g.group))));
  int greatest = terms[0].exponent;
  for (const AlignedTerm& term : terms) greatest = std::max(greatest, term.exponent);
  Real sum = 0;
  for (const AlignedTerm& term : terms) sum += truncated(term.value, greatest - g.fraction_bits);

  const uint32_t bits = g.output == SumRounding::rne  ? nearest32(sum)
                        : g.output == SumRounding::rz ? toward_zero32(sum, 23)
                                                      : toward_zero32(sum, 13);
  return bits == minus_zero32 ? 0 : flushed(d, bits);
}

// --- a whole row

inline uint32_t dot(const Datapath& d, uint32_t acc, const RowView& a, const RowView& b) {
  const size_t K = a.codes.size(), block = size_t(a.block);
  switch (d.kind) {
    case Accumulation::fused:
      for (size_t k = 0; k < K; k += block)
        acc = one_rounding(d, acc, a, b, k, std::min(K, k + block));
      return acc;
    case Accumulation::blockwise:
      for (size_t k = 0; k < K; k += block)
        acc = blockwise_step(d, acc, a, b, k, std::min(K, k + block));
      return acc;
    case Accumulation::sequential:
      for (size_t k = 0; k < K; ++k) acc = flushed(d, ieee_sum(operands(a, b, k).scaled(), acc));
      return acc;
    case Accumulation::exact:
      return one_rounding(d, acc, a, b, 0, K);
    case Accumulation::aligned:
      for (size_t k = 0; k < K; k += size_t(d.alignment.terms)) acc = aligned_step(d, acc, a, b, k);
      return acc;
  }
  __builtin_unreachable();
}

// D = RNE32(C + RNE32(acc · factor)), or acc that started at C where p_a · p_b = 1.
inline uint32_t product_element(const MxTensor& a, int64_t m, const MxTensor& b, int64_t n,
                                const Datapath& d, uint32_t c) {
  const RowView x = row_of(a, m), y = row_of(b, n);
  const Prescale p = a.conversion.prescale, q = b.conversion.prescale;
  const bool is_nvfp4 = a.format().name == "nvfp4";
  const Real numerator = Real(p.denominator) * q.denominator;
  const Real denominator = Real(p.numerator) * q.numerator;
  if (!is_nvfp4 && numerator == denominator) return dot(d, c, x, y);

  Number acc = binary32_number(dot(d, 0, x, y));
  if (acc.kind == Number::finite) {
    const bool negative = acc.negative;
    Real exact = acc.value() * numerator;
    for (const float g : {a.tensor_scale(m), b.tensor_scale(n)}) {
      const Number v = binary32_number(std::bit_cast<uint32_t>(g));
      if (is_nvfp4) exact = (exact * v.significand << 149) >> unsigned(149 - v.exponent);
    }
    acc = binary32_number(nearest32(exact, denominator));
    acc.negative = negative;  // IEEE's: a result that rounds to zero, and a zero, keep it
  }
  const uint32_t sum = ieee_sum(acc, c);
  if (d.kind != Accumulation::aligned) return sum;
  return sum == nan32 ? aligned_nan32 : sum == minus_zero32 ? 0 : sum;
}

}  // namespace mxref::oracle
