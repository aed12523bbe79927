#pragma once
// The formats of ARITHMETIC.md §1. A format is one row that states only what is special about it;
// widths, limits and NaN codes follow from the row and are proven below.

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "emu/e8m0.h"
#include "emu/error.h"

namespace mxref {

// Which codes of the highest exponent are not numbers.
enum class Specials : uint8_t {
  none,          // every code is a finite number
  nan_all_ones,  // S.11…1.11…1 is NaN, there is no Inf (e4m3)
  inf_and_nan,   // as IEEE 754: exponent all ones is Inf with mantissa 0, else NaN (e5m2)
};

// How a negative number is written.
enum class Sign : uint8_t {
  magnitude,        // S E…E M…M
  twos_complement,  // minus the code; the least code has a magnitude that no positive one has
};

// A signed element. Its magnitude code is E…E M…M. int8, a fixed-point number, has one exponent bit
// of bias 1: then every magnitude code counts units of 2^-mantissa_bits.
struct ElementFormat {
  std::string_view name;
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Specials specials = Specials::none;
  Sign sign = Sign::magnitude;

  constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
  constexpr uint32_t sign_mask() const { return 1u << (bits() - 1); }
  constexpr uint32_t magnitude_mask() const { return sign_mask() - 1; }
  constexpr uint32_t code_mask() const { return 2 * sign_mask() - 1; }
  constexpr uint32_t mantissa_mask() const { return (1u << mantissa_bits) - 1; }
  constexpr bool has_nan() const { return specials != Specials::none; }
  constexpr bool has_inf() const { return specials == Specials::inf_and_nan; }

  // A code and its parts. Of two's complement the code 0 alone has the magnitude 0.
  constexpr uint32_t magnitude(uint32_t code) const {
    if (sign == Sign::magnitude || !(code & sign_mask())) return code & magnitude_mask();
    return 2 * sign_mask() - code;
  }
  constexpr uint32_t code(bool negative, uint32_t magnitude) const {
    if (!negative) return magnitude;
    if (sign == Sign::magnitude) return sign_mask() | magnitude;
    return (2 * sign_mask() - magnitude) & (2 * sign_mask() - 1);
  }

  // Exponent of the least normal number, and of every subnormal one.
  constexpr int emin() const { return 1 - bias; }
  // Magnitude code of the largest finite number that a conversion gives, and its exponent.
  constexpr uint32_t max_code() const {
    const uint32_t specials_above = specials == Specials::none           ? 0
                                    : specials == Specials::nan_all_ones ? 1
                                                                         : mantissa_mask() + 1;
    return magnitude_mask() - specials_above;
  }
  constexpr int emax() const { return int(max_code() >> mantissa_bits) - bias; }

  // Every finite value is an integer multiple of 2^unit_log2().
  constexpr int unit_log2() const { return emin() - mantissa_bits; }
  // |value| of a finite magnitude code = significand · 2^exponent, significand below
  // 2^(mantissa_bits + 1), and in units of 2^unit_log2().
  struct Parts {
    uint32_t significand;
    int exponent;
  };
  constexpr Parts parts(uint32_t magnitude_code) const {
    const uint32_t exponent = magnitude_code >> mantissa_bits;
    const uint32_t mantissa = magnitude_code & mantissa_mask();
    if (exponent == 0) return {mantissa, unit_log2()};
    return {mantissa + (1u << mantissa_bits), unit_log2() + int(exponent) - 1};
  }
  constexpr uint64_t magnitude_units(uint32_t magnitude_code) const {
    const Parts p = parts(magnitude_code);
    return uint64_t(p.significand) << (p.exponent - unit_log2());
  }
  // The largest |value| of any finite code, in those units.
  constexpr uint64_t max_units() const {
    return magnitude_units(sign == Sign::twos_complement ? sign_mask() : max_code());
  }
  constexpr int magnitude_units_bits() const { return std::bit_width(max_units()); }
};

inline constexpr ElementFormat e2m1{
    .name = "e2m1", .exponent_bits = 2, .mantissa_bits = 1, .bias = 1};
inline constexpr ElementFormat e3m2{
    .name = "e3m2", .exponent_bits = 3, .mantissa_bits = 2, .bias = 3};
inline constexpr ElementFormat e2m3{
    .name = "e2m3", .exponent_bits = 2, .mantissa_bits = 3, .bias = 1};
inline constexpr ElementFormat e4m3{.name = "e4m3",
                                    .exponent_bits = 4,
                                    .mantissa_bits = 3,
                                    .bias = 7,
                                    .specials = Specials::nan_all_ones};
inline constexpr ElementFormat e5m2{.name = "e5m2",
                                    .exponent_bits = 5,
                                    .mantissa_bits = 2,
                                    .bias = 15,
                                    .specials = Specials::inf_and_nan};
inline constexpr ElementFormat int8{.name = "int8",
                                    .exponent_bits = 1,
                                    .mantissa_bits = 6,
                                    .bias = 1,
                                    .sign = Sign::twos_complement};

// The format of a block's scale: numbers that are not negative, and NaN.
struct ScaleFormat {
  std::string_view name;
  uint8_t nan;                  // the code that a conversion gives
  uint8_t one;                  // the code of 1
  const ElementFormat* number;  // whose magnitude codes these are; null: e8m0, 2^(code - 127)

  constexpr bool is_nan(uint8_t code) const {
    return (number ? code & number->magnitude_mask() : code) == nan;
  }
  // Of a code that is not NaN.
  constexpr ElementFormat::Parts parts(uint8_t code) const {
    if (!number) return {1, e8m0::log2(code)};
    return number->parts(code & number->magnitude_mask());
  }
};
inline constexpr ScaleFormat e8m0_scale{
    .name = "e8m0", .nan = e8m0::nan, .one = e8m0::encode_sat(0), .number = nullptr};
// An e4m3 code whose sign bit is ignored.
inline constexpr ScaleFormat ue4m3_scale{
    .name = "ue4m3", .nan = 0x7F, .one = 0x38, .number = &e4m3};

// A block format: `block` elements along the reduction dimension share one scale.
struct BlockFormat {
  std::string_view name;
  const ElementFormat* element;
  int block = 32;  // the format's own block length; a tensor may have another of block_lengths
  const ScaleFormat* scale = &e8m0_scale;

  // Whether a binary32 scale stands over those of the blocks (ARITHMETIC.md §6).
  constexpr bool has_tensor_scale() const { return scale != &e8m0_scale; }
};

inline constexpr std::array block_formats{
    BlockFormat{.name = "mxfp4", .element = &e2m1},
    BlockFormat{.name = "mxfp6_e3m2", .element = &e3m2},
    BlockFormat{.name = "mxfp6_e2m3", .element = &e2m3},
    BlockFormat{.name = "mxfp8_e4m3", .element = &e4m3},
    BlockFormat{.name = "mxfp8_e5m2", .element = &e5m2},
    BlockFormat{.name = "mxint8", .element = &int8},
    BlockFormat{.name = "nvfp4", .element = &e2m1, .block = 16, .scale = &ue4m3_scale},
};
static_assert(names_are_distinct(block_formats));
// What the tree holds: a code is a byte, and every magnitude a whole number of units below 2^48.
static_assert([] {
  for (const BlockFormat& row : block_formats)
    if (const ElementFormat& f = *row.element;
        f.bits() > 8 || f.parts(f.max_code()).exponent - f.unit_log2() + f.mantissa_bits >= 47)
      return false;
  return true;
}());

// The MX format of these elements.
constexpr const BlockFormat& block_format_of(const ElementFormat& element) {
  for (const BlockFormat& row : block_formats)
    // By names: under UBSan g++ 12 takes no comparison of addresses for a constant.
    if (row.element->name == element.name && !row.has_tensor_scale()) return row;
  throw UsageError("no MX format has the elements " + std::string(element.name));
}
// Throws UsageError on an unknown name.
inline const BlockFormat& block_format(std::string_view name) {
  return find_by_name(block_formats, "format", name);
}

// The rows against the printed table of ARITHMETIC.md §1: emax, the least subnormal 2^unit_log2()
// and the largest finite number in units of it.
constexpr bool is_as_printed(const ElementFormat& f, int bits, int emax, int unit_log2,
                             uint64_t max_in_units) {
  return f.bits() == bits && f.emax() == emax && f.unit_log2() == unit_log2 &&
         f.magnitude_units(f.max_code()) == max_in_units;
}
static_assert(is_as_printed(e2m1, 4, 2, -1, 6 * 2));
static_assert(is_as_printed(e3m2, 6, 4, -4, 28 * 16));
static_assert(is_as_printed(e2m3, 6, 2, -3, 60));
static_assert(is_as_printed(e4m3, 8, 8, -9, 448 << 9));
static_assert(is_as_printed(e5m2, 8, 15, -16, 57344ull << 16));
static_assert(is_as_printed(int8, 8, 0, -6, 127));
static_assert(int8.magnitude(0x80) == 128 && int8.code(true, 1) == 0xFF);

}  // namespace mxref
