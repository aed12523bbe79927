#pragma once
// Scale rules (ARITHMETIC.md §2 step 3): from the largest magnitude of a block to its scale
// exponent.

#include <array>
#include <string_view>

#include "emu/codec.h"
#include "emu/formats.h"

namespace mxref {

struct ScaleRule {
  std::string_view name;
  // amax: the block's largest magnitude, above zero → s, before clamping.
  int (*exponent)(const Magnitude& amax, const ElementFormat& element);
  // Whether s - 1, s and s + 1 are tried, and the one with the least squared error is taken.
  bool searches = false;
};

// OCP MX v1.0 §6.3.
inline int floor_rule(const Magnitude& amax, const ElementFormat& element) {
  return amax.floor_log2() - element.emax();
}

inline constexpr std::array scale_rules{
    ScaleRule{"floor", floor_rule},
    ScaleRule{"ceil",
              [](const Magnitude& amax, const ElementFormat& element) {
                const int e = amax.floor_log2();
                return e + (amax.compare(1, e) > 0 ? 1 : 0) - element.emax();
              }},
    // The significand rounded half up to the element's mantissa: it carries from
    // (2 - 2^-(mantissa_bits + 1)) on.
    ScaleRule{"even",
              [](const Magnitude& amax, const ElementFormat& element) {
                const int e = amax.floor_log2(), m = element.mantissa_bits;
                const bool carries = amax.compare((4u << m) - 1, e - m - 1) >= 0;
                return e + (carries ? 1 : 0) - element.emax();
              }},
    ScaleRule{"roundup",
              [](const Magnitude& amax, const ElementFormat& element) {
                const int s = floor_rule(amax, element);
                const uint64_t largest = element.magnitude_units(element.max_code());
                return s + (amax.compare(largest, element.unit_log2() + s) > 0 ? 1 : 0);
              }},
    ScaleRule{"mse", floor_rule, /*searches=*/true},
};
static_assert(names_are_distinct(scale_rules));

inline const ScaleRule& scale_rule(std::string_view name) {
  return find_by_name(scale_rules, "scale rule", name);
}

}  // namespace mxref
