#include <boost/test/unit_test.hpp>
#include <cmath>

#include "emu/codec.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(codec)

// value of a code by the formula of ARITHMETIC.md §1, in binary64 (exact there).
static double value(const ElementFormat& f, uint32_t code) {
  if (f.sign == Sign::twos_complement)
    return std::ldexp(double(code) - (code & f.sign_mask() ? 2.0 * f.sign_mask() : 0),
                      -f.mantissa_bits);
  const int E = int(code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
  const double M = double(code & f.mantissa_mask()) / (1 << f.mantissa_bits);
  const double magnitude = E ? std::ldexp(1 + M, E - f.bias) : std::ldexp(M, 1 - f.bias);
  return code & f.sign_mask() ? -magnitude : magnitude;
}

BOOST_AUTO_TEST_CASE(every_code_decodes_to_the_formula) {
  for (const BlockFormat& format : block_formats)
    for (uint32_t code = 0; code < (1u << format.element->bits()); ++code) {
      const ElementFormat& f = *format.element;
      if (!is_finite(f, code)) continue;
      BOOST_TEST(std::ldexp(double(value_units(f, code)), f.unit_log2()) == value(f, code));
    }
}

BOOST_AUTO_TEST_CASE(e4m3_has_two_nan_codes_and_e2m1_none) {
  int nans = 0;
  for (uint32_t code = 0; code < 256; ++code) nans += is_nan(e4m3, code);
  BOOST_TEST(nans == 2);
  BOOST_TEST(is_nan(e4m3, 0x7F));
  BOOST_TEST(is_nan(e4m3, 0xFF));
  for (uint32_t code = 0; code < 16; ++code) BOOST_TEST(!is_nan(e2m1, code));
}

BOOST_AUTO_TEST_CASE(every_finite_value_encodes_to_itself) {
  for (const BlockFormat& format : block_formats) {
    const ElementFormat& f = *format.element;
    for (uint32_t code = 0; code <= f.max_code(); ++code)
      BOOST_TEST(encode_magnitude_sat(f, {f.magnitude_units(code), 1, f.unit_log2()},
                                      rounding("rne")) == code);
  }
}

BOOST_AUTO_TEST_CASE(ties_of_e2m1_go_to_even) {
  // ARITHMETIC.md §2: 0.25→0, 0.75→1, 1.25→1, 1.75→2, 2.5→2, 3.5→4, 5→4; in quarters.
  const struct {
    uint64_t quarters;
    double rounded;
  } ties[] = {{1, 0}, {3, 1}, {5, 1}, {7, 2}, {10, 2}, {14, 4}, {20, 4}};
  for (const auto& tie : ties)
    BOOST_TEST(value(e2m1, encode_magnitude_sat(e2m1, {tie.quarters, 1, -2}, rounding("rne"))) ==
               tie.rounded);
}

BOOST_AUTO_TEST_CASE(ties_and_their_neighbours_of_every_format) {
  for (const BlockFormat& format : block_formats) {
    const ElementFormat& f = *format.element;
    for (uint32_t code = 0; code < f.max_code(); ++code) {
      // Halfway between code and code + 1, and 2^-12 of a unit to each side.
      const uint64_t halfway = (f.magnitude_units(code) + f.magnitude_units(code + 1)) << 12;
      const auto encode = [&](uint64_t x) {
        return encode_magnitude_sat(f, {x, 1, f.unit_log2() - 13}, rounding("rne"));
      };
      BOOST_TEST(encode(halfway - 1) == code);
      BOOST_TEST(encode(halfway) == code + (code & 1));
      BOOST_TEST(encode(halfway + 1) == code + 1);
    }
    BOOST_TEST(encode_magnitude_sat(f, {1, 1, 100}, rounding("rne")) == f.max_code());
    BOOST_TEST(encode_magnitude_sat(f, {1, 1, -200}, rounding("rne")) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(prescale_is_parsed_whole) {
  BOOST_TEST((parse_prescale("3/4") == Prescale{3, 4}));
  BOOST_TEST((parse_prescale("1") == Prescale{1, 1}));
  for (const char* bad :
       {"", "0", "2/4", "3/", "/4", "-1", "3/4x", " 1", "1/0", "65536", "1/65536", "1/1", "0.75"})
    BOOST_CHECK_THROW(parse_prescale(bad), UsageError);
}

BOOST_AUTO_TEST_CASE(unknown_names_get_a_suggestion) {
  try {
    block_format("mxpf4");
    BOOST_FAIL("accepted");
  } catch (const UsageError& e) {
    std::string expected = "unknown format 'mxpf4'; did you mean 'mxfp4'?; valid: ";
    for (const BlockFormat& f : block_formats)
      expected += (&f == &block_formats[0] ? "" : ", ") + std::string(f.name);
    BOOST_TEST(e.what() == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
