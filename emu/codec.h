#pragma once
// Element codes: decoding, and rounding of an exact rational to a code (ARITHMETIC.md §1, §2 step
// 4).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "emu/formats.h"

namespace mxref {

// A positive fraction in lowest terms, both numbers below 2^16: the pre-scale p.
struct Prescale {
  uint32_t numerator = 1;
  uint32_t denominator = 1;
  bool is_one() const { return numerator == denominator; }
  bool operator==(const Prescale&) const = default;
};
// "1", "3/4" → Prescale. Throws UsageError where it is not such a fraction in lowest terms.
Prescale parse_prescale(std::string_view text);
std::string to_string(Prescale p);

// A quotient that lies between two codes, the lower of them odd or not, and the random word of the
// element.
struct Between {
  bool lower_is_odd;
  int vs_half;        // the rest against half of the distance: below 0, 0 or above 0
  uint32_t fraction;  // floor(rest / distance · 2^32); only where the rounding is stochastic
  uint32_t random;
};
// How it is rounded, in magnitude.
struct Rounding {
  std::string_view name;
  bool (*rounds_up)(const Between& x);
  bool stochastic = false;
};
inline constexpr std::array roundings{
    Rounding{"rne",
             [](const Between& x) { return x.vs_half > 0 || (x.vs_half == 0 && x.lower_is_odd); }},
    Rounding{"rna", [](const Between& x) { return x.vs_half >= 0; }},
    Rounding{"rtz", [](const Between&) { return false; }},
    Rounding{"stochastic", [](const Between& x) { return x.random < x.fraction; },
             /*stochastic=*/true},
};
static_assert(names_are_distinct(roundings));
inline const Rounding& rounding(std::string_view name) {
  return find_by_name(roundings, "rounding", name);
}

constexpr bool is_nan(const ElementFormat& f, uint32_t code) {
  return f.has_nan() && f.magnitude(code) > f.max_code() + (f.has_inf() ? 1 : 0);
}
constexpr bool is_inf(const ElementFormat& f, uint32_t code) {
  return f.has_inf() && f.magnitude(code) == f.max_code() + 1;
}
constexpr bool is_finite(const ElementFormat& f, uint32_t code) {
  return !f.has_nan() || f.magnitude(code) <= f.max_code();
}
constexpr bool is_negative(const ElementFormat& f, uint32_t code) { return code & f.sign_mask(); }

// Value of a finite code, in units of 2^unit_log2(). Both zeros are 0.
constexpr int64_t value_units(const ElementFormat& f, uint32_t code) {
  const auto magnitude = int64_t(f.magnitude_units(f.magnitude(code)));
  return is_negative(f, code) ? -magnitude : magnitude;
}

// A positive real number, or 0: numerator / denominator · 2^exponent. numerator < 2^48,
// 0 < denominator < 2^32.
struct Magnitude {
  uint64_t numerator;
  uint64_t denominator;
  int exponent;

  int floor_log2() const;  // not of 0
  // Against c · 2^k, c < 2^48: below 0 where it is less, 0, or above 0.
  int compare(uint64_t c, int k) const;
};

// The magnitude code nearest to x by `rounding`; above the largest finite number it saturates.
// `random` is asked for where the rounding is stochastic.
uint32_t encode_magnitude_sat(const ElementFormat& f, const Magnitude& x, const Rounding& rounding,
                              uint32_t random = 0);

}  // namespace mxref
