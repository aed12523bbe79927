#pragma once
// The conversions of ARITHMETIC.md §2 and §6 by exact numbers and searches (exact_real.h): a scale
// is the one that its rule's words pick out of all, an element the nearest of all codes.

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <span>
#include <vector>

#include "emu/binary32.h"
#include "emu/block.h"
#include "tests/emu/exact_real.h"
#include "tests/emu/random_word.h"

namespace mxref::oracle {

// The scale rules and roundings that are constructed a second time, by their words. Of any other
// the row itself is taken, so that all around it is tested: test_definition says which.
constexpr std::string_view second_constructions[] = {"floor", "ceil", "even", "roundup",   "mse",
                                                     "rne",   "rna",  "rtz",  "stochastic"};
inline bool has_second_construction(std::string_view rule_or_rounding) {
  return std::ranges::count(second_constructions, rule_or_rounding) > 0;
}

inline Number number_of(float x) { return binary32_number(std::bit_cast<uint32_t>(x)); }

// A quotient of two numbers above zero, or 0.
struct Quotient {
  Real numerator, denominator;
};

// Codes of one element format, by search over all of them.
class Codes {
 public:
  explicit Codes(const ElementFormat& f) : format_(f) {
    for (uint32_t code = 0; code < 1u << (f.exponent_bits + f.mantissa_bits); ++code) {
      const Number v = element(f, code);
      // §2: a conversion gives no NaN, no Inf, and of int8 no -2.0, which is no magnitude code.
      if (v.kind == Number::finite) values_.push_back(v.value() >> unsigned(-unit_shift));
    }
  }

  Real largest_value() const { return values_.back() << unsigned(-unit_shift); }
  int emax() const { return floor_log2(element(format_, uint32_t(values_.size() - 1))); }

  // The magnitude code of x.
  uint32_t magnitude(const Quotient& x, const Rounding& row, uint32_t random) const {
    const std::string_view rounding = row.name;
    const Real given = x.numerator << unsigned(-real_unit_log2 + unit_shift);
    const auto low = largest(uint32_t(values_.size() - 1),
                             [&](uint32_t code) { return values_[code] * x.denominator <= given; });
    if (low + 1 == values_.size()) return low;  // saturates
    const Real rest = given - values_[low] * x.denominator;
    const Real distance = (values_[low + 1] - values_[low]) * x.denominator;
    if (rest == 0 || rounding == "rtz") return low;
    if (rounding == "rna") return low + (2 * rest >= distance);
    if (rounding == "stochastic") return low + (Real(random) < (rest << 32) / distance);
    if (rounding != "rne") {
      const int vs_half = (2 * rest > distance) - (2 * rest < distance);
      return low +
             row.rounds_up({low % 2 == 1, vs_half, uint32_t((rest << 32) / distance), random});
    }
    return low + (2 * rest > distance || (2 * rest == distance && low % 2 == 1));
  }

  uint8_t with_sign(bool negative, uint32_t magnitude) const {
    const uint32_t sign = 1u << (format_.exponent_bits + format_.mantissa_bits);
    if (!negative) return uint8_t(magnitude);
    if (format_.sign == Sign::twos_complement) return uint8_t((2 * sign - magnitude) % (2 * sign));
    return uint8_t(magnitude | sign);
  }

 private:
  // Values are kept as multiples of 2^-40, so that their products with others stay narrow.
  static constexpr int unit_shift = real_unit_log2 + 40;
  ElementFormat format_;
  std::vector<Real> values_;  // of the magnitude codes, ascending
};

// Those of a format, made once.
inline const Codes& codes_of(const ElementFormat& f) {
  static std::map<std::string_view, Codes> all;
  return all.try_emplace(f.name, f).first->second;
}

// The largest e with 2^e · denominator ≤ numerator.
inline int floor_log2(const Quotient& x) {
  constexpr int least = -320;
  const Real raised = x.numerator << unsigned(-least);
  return int(largest(640, [&](uint32_t n) { return (x.denominator << n) <= raised; })) + least;
}

// The scale exponent of a rule that searches no neighbours, before it is clamped.
inline int scale_exponent(const ElementFormat& f, std::string_view rule, const Quotient& a) {
  const Codes& codes = codes_of(f);
  const int e = floor_log2(a);
  // Whether a ≤ 2^n · value.
  const auto is_at_most = [&](const Real& value_times_2_to_640, int n) {
    const Real left = a.numerator << unsigned(-real_unit_log2 + 400);
    return left <= (value_times_2_to_640 * a.denominator) << unsigned(n + 400);
  };
  if (rule == "ceil") return (is_at_most(real(1, 0), e) ? e : e + 1) - codes.emax();
  if (rule == "roundup") {
    int s = e - codes.emax() - 2;
    while (!is_at_most(codes.largest_value(), s)) ++s;
    return s;
  }
  if (rule == "even") {
    // a' = floor(a / 2^(e - m) + 1/2) · 2^(e - m)
    const int m = f.mantissa_bits, unit = e - m;
    const Real numerator = 2 * (a.numerator << 400),
               denominator = a.denominator << unsigned(400 + unit);
    const Real units = (numerator / denominator + 1) / 2;
    return unit + int(msb(units)) - codes.emax();
  }
  return e - codes.emax();  // floor, and the middle one of mse
}

// The scale exponent by the row of a rule that has no construction of its own.
inline int exponent_of_row(const Conversion& c, std::span<const float> x) {
  float largest = 0;
  for (float v : x) largest = std::max(largest, std::fabs(v));
  const binary32::Parts amax = binary32::parts(std::bit_cast<uint32_t>(largest));
  const Prescale p = c.relabel ? c.prescale : Prescale{};
  return c.rule->exponent({uint64_t(amax.significand) * p.numerator, p.denominator, amax.exponent},
                          *c.format->element);
}

// One block by an MX conversion. Codes and the scale code.
inline uint8_t convert_block(const Conversion& c, std::span<const float> x, uint64_t first_element,
                             std::span<uint8_t> out) {
  const Codes& codes = codes_of(*c.format->element);
  const int64_t p = c.prescale.numerator, q = c.prescale.denominator;
  Real a = 0;
  for (float v : x) {
    if (number_of(v).kind != Number::finite) {
      std::ranges::fill(out, uint8_t(0));
      return 0xFF;
    }
    a = std::max(a, Real(abs(number_of(v).value())));
  }
  const auto encode = [&](int s, const Rounding& rounding, size_t i) {
    const Number v = number_of(x[i]);
    const uint32_t random = rounding.stochastic ? random_word(c.seed, first_element + i) : 0;
    return codes.magnitude({abs(v.value()) * p, real(q, s)}, rounding, random);
  };
  int s = -127;
  if (a > 0) {
    const Quotient of = c.relabel ? Quotient{a * p, real(q, 0)} : Quotient{a, real(1, 0)};
    const int first = has_second_construction(c.rule->name)
                          ? scale_exponent(*c.format->element, c.rule->name, of)
                          : exponent_of_row(c, x);
    s = std::clamp(first, -127, 127);
    if (c.rule->searches) {
      const Rounding& tried = c.rounding->stochastic ? rounding("rne") : *c.rounding;
      Real least = -1;
      for (int candidate : {first - 1, first, first + 1}) {
        const int clamped = std::clamp(candidate, -127, 127);
        Real error = 0;
        for (size_t i = 0; i < x.size(); ++i) {
          const Number v = element(*c.format->element, encode(clamped, tried, i));
          const Real difference =
              real(v.significand * q, v.exponent + clamped) - abs(number_of(x[i]).value()) * p;
          error += difference * difference;
        }
        if (least >= 0 && error >= least) continue;
        least = error;
        s = clamped;
      }
    }
  }
  for (size_t i = 0; i < x.size(); ++i)
    out[i] = codes.with_sign(number_of(x[i]).negative, encode(s, *c.rounding, i));
  return uint8_t(s + 127);
}

// The largest magnitude of a block, or -1 where it holds a NaN or Inf.
inline Real largest_magnitude(std::span<const float> x) {
  Real a = 0;
  for (float v : x) {
    if (number_of(v).kind != Number::finite) return -1;
    a = std::max(a, Real(abs(number_of(v).value())));
  }
  return a;
}

// g of blocks of nvfp4, K elements a row.
inline float tensor_scale(std::span<const float> x, size_t K) {
  Real A = 0;
  for (size_t row = 0; row < x.size(); row += K)
    for (size_t k = 0; k < K; k += 16)
      A = std::max(A, largest_magnitude(x.subspan(row + k, std::min<size_t>(16, K - k))));
  if (A == 0) return 1;
  return std::bit_cast<float>(std::max(nearest32(A, 2688), 0x00800000u));
}

inline uint8_t convert_block_nvfp4(const Conversion& c, float g, std::span<const float> x,
                                   uint64_t first_element, std::span<uint8_t> out) {
  const Codes &elements = codes_of(e2m1), &scales = codes_of(e4m3);
  const Real a = largest_magnitude(x);
  std::ranges::fill(out, uint8_t(0));
  if (a < 0) return 0x7F;
  const Number tensor = number_of(g);
  uint8_t code = 0;
  Real by = real(1, 0);
  if (a > 0) {
    const Quotient quotient{a, real(6 * tensor.significand, tensor.exponent)};
    code = uint8_t(std::max(scales.magnitude(quotient, rounding("rne"), 0), 1u));
    const Number s = product(scale(ue4m3_scale, code), tensor);
    by = real(s.significand, s.exponent);
  }
  for (size_t i = 0; i < x.size(); ++i) {
    const Number v = number_of(x[i]);
    const uint32_t random = random_word(c.seed, first_element + i);
    out[i] = elements.with_sign(v.negative,
                                elements.magnitude({abs(v.value()), by}, *c.rounding, random));
  }
  return code;
}

// x (shape (…, K)) → tensor.
inline MxTensor convert(std::span<const float> x, std::vector<int64_t> shape, const Conversion& c) {
  MxTensor q{c, std::move(shape), std::vector<uint8_t>(x.size()), {}, {}};
  const auto K = size_t(q.cols()), block = size_t(c.block);
  const bool is_nvfp4 = c.format->name == "nvfp4";
  if (is_nvfp4 && !c.scale_by_row) q.tensor_scales.push_back(tensor_scale(x, K));
  for (size_t begin = 0; begin < x.size(); begin += K) {
    if (is_nvfp4 && c.scale_by_row) q.tensor_scales.push_back(tensor_scale(x.subspan(begin, K), K));
    for (size_t k = 0; k < K; k += block) {
      const size_t count = std::min(block, K - k);
      const auto from = x.subspan(begin + k, count);
      const auto to = std::span(q.codes).subspan(begin + k, count);
      q.scales.push_back(is_nvfp4
                             ? convert_block_nvfp4(c, q.tensor_scales.back(), from, begin + k, to)
                             : convert_block(c, from, begin + k, to));
    }
  }
  return q;
}

// RNE32(code · scale · g / p).
inline uint32_t dequantized(const BlockFormat& f, uint8_t code, uint8_t scale_code, Prescale p,
                            float g) {
  const Number v = product(element(*f.element, code), scale(*f.scale, scale_code));
  if (v.kind == Number::nan) return 0x7FC00000;
  const uint32_t sign = v.negative ? minus_zero32 : 0;
  if (v.kind == Number::infinite) return sign | infinity32;
  const Number with_g = product(v, f.name == "nvfp4" ? number_of(g) : Number{.significand = 1});
  return sign | (nearest32(with_g.value() * p.denominator, p.numerator) & ~minus_zero32);
}

}  // namespace mxref::oracle
