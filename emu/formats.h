#pragma once
// The formats of ARITHMETIC.md §1. A format is one row that states only what is special about it;
// widths, limits and NaN codes follow from the row and are proven below.

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "emu/error.h"

namespace mxref {

// Which codes of the highest exponent are not numbers.
enum class Specials : uint8_t {
  none,          // every code is a finite number
  nan_all_ones,  // S.11…1.11…1 is NaN, there is no Inf (e4m3)
};

// A signed floating-point element: code = S E…E M…M.
struct ElementFormat {
  std::string_view name;
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Specials specials;

  constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
  constexpr uint32_t sign_mask() const { return 1u << (bits() - 1); }
  constexpr uint32_t magnitude_mask() const { return sign_mask() - 1; }
  constexpr uint32_t mantissa_mask() const { return (1u << mantissa_bits) - 1; }
  constexpr bool has_nan() const { return specials != Specials::none; }

  // Exponent of the least normal number, and of every subnormal one.
  constexpr int emin() const { return 1 - bias; }
  // Magnitude code of the largest finite number, and its exponent.
  constexpr uint32_t max_code() const { return magnitude_mask() - (has_nan() ? 1 : 0); }
  constexpr int emax() const { return int(max_code() >> mantissa_bits) - bias; }

  // Every finite value is an integer multiple of 2^unit_log2().
  constexpr int unit_log2() const { return emin() - mantissa_bits; }
  // |value| of a finite magnitude code in those units.
  constexpr uint64_t magnitude_units(uint32_t magnitude_code) const {
    const uint32_t exponent = magnitude_code >> mantissa_bits;
    const uint64_t mantissa = magnitude_code & mantissa_mask();
    return exponent == 0 ? mantissa : (mantissa + (1u << mantissa_bits)) << (exponent - 1);
  }
  constexpr int magnitude_units_bits() const { return std::bit_width(magnitude_units(max_code())); }
};

inline constexpr ElementFormat e2m1{
    .name = "e2m1", .exponent_bits = 2, .mantissa_bits = 1, .bias = 1, .specials = Specials::none};
inline constexpr ElementFormat e4m3{.name = "e4m3",
                                    .exponent_bits = 4,
                                    .mantissa_bits = 3,
                                    .bias = 7,
                                    .specials = Specials::nan_all_ones};

// A block format: `block` elements along the reduction dimension share one e8m0 scale.
struct BlockFormat {
  std::string_view name;
  const ElementFormat* element;
  int block = 32;  // the format's own block length; a tensor may have another of block_lengths
};

inline constexpr std::array block_formats{
    BlockFormat{.name = "mxfp4", .element = &e2m1},
    BlockFormat{.name = "mxfp8_e4m3", .element = &e4m3},
};
static_assert(names_are_distinct(block_formats));

// Throws UsageError on an unknown name.
inline const BlockFormat& block_format(std::string_view name) {
  return find_by_name(block_formats, "format", name);
}

// The rows against the printed table of ARITHMETIC.md §1, in units of 2^unit_log2().
static_assert(e2m1.emax() == 2 && e2m1.unit_log2() == -1 &&
              e2m1.magnitude_units(e2m1.max_code()) == 12);
static_assert(e4m3.emax() == 8 && e4m3.unit_log2() == -9 &&
              e4m3.magnitude_units(e4m3.max_code()) == 448u << 9);

}  // namespace mxref
