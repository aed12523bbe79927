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

// How a quotient that lies between two codes is rounded. `remainder_vs_half`: below 0, 0 or above
// 0.
struct Rounding {
  std::string_view name;
  bool (*rounds_up)(bool quotient_is_odd, int remainder_vs_half);
};
inline constexpr std::array roundings{
    Rounding{"rne", [](bool odd, int vs_half) { return vs_half > 0 || (vs_half == 0 && odd); }},
};
static_assert(names_are_distinct(roundings));
inline const Rounding& rounding(std::string_view name) {
  return find_by_name(roundings, "rounding", name);
}

constexpr bool is_nan(const ElementFormat& f, uint32_t code) {
  return f.has_nan() && (code & f.magnitude_mask()) > f.max_code();
}
constexpr bool is_negative(const ElementFormat& f, uint32_t code) { return code & f.sign_mask(); }

// Value of a code that is not NaN, in units of 2^unit_log2(). Both zeros are 0.
constexpr int64_t value_units(const ElementFormat& f, uint32_t code) {
  const auto magnitude = int64_t(f.magnitude_units(code & f.magnitude_mask()));
  return is_negative(f, code) ? -magnitude : magnitude;
}

// The magnitude code nearest to numerator / denominator · 2^exponent by `rounding`; above the
// largest finite number it saturates. numerator < 2^48, 0 < denominator < 2^16.
uint32_t encode_magnitude_sat(const ElementFormat& f, uint64_t numerator, uint32_t denominator,
                              int exponent, const Rounding& rounding);

}  // namespace mxref
