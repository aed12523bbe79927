#pragma once
// Scale rules (ARITHMETIC.md §2 step 3): from the largest magnitude of a block to its scale
// exponent.

#include <array>
#include <cstdint>
#include <string_view>

#include "emu/binary32.h"
#include "emu/formats.h"

namespace mxref {

struct ScaleRule {
  std::string_view name;
  // amax_bits: binary32 bits of the block's largest magnitude, finite and above zero → s, before
  // clamping.
  int (*exponent)(uint32_t amax_bits, const ElementFormat& element);
};

inline constexpr std::array scale_rules{
    ScaleRule{"floor",  // OCP MX v1.0 §6.3
              [](uint32_t amax_bits, const ElementFormat& element) {
                return binary32::floor_log2(amax_bits) - element.emax();
              }},
};
static_assert(names_are_distinct(scale_rules));

inline const ScaleRule& scale_rule(std::string_view name) {
  return find_by_name(scale_rules, "scale rule", name);
}

}  // namespace mxref
