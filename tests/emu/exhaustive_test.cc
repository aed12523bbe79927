// What is small enough to be enumerated whole, mostly against the host's binary64 and binary32,
// which hold the exact values or round them once: all codes are in codec_test.cc; here all pairs of
// elements and all pairs of scales.

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "emu/dot.h"
#include "emu/hex.h"
#include "tests/emu/datapath_oracle.h"
#include "tests/format_counts.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(exhaustive)

// The value of a code as binary64, by the printed formula.
static double value_of(const ElementFormat& f, uint32_t code) {
  if (f.sign == Sign::twos_complement)
    return std::ldexp(double(code) - (code >> f.mantissa_bits > 1 ? std::ldexp(1.0, f.bits()) : 0),
                      -f.mantissa_bits);
  const int E = int(code >> f.mantissa_bits) & ((1 << f.exponent_bits) - 1);
  const int mantissa = int(code) & ((1 << f.mantissa_bits) - 1);
  const double M = std::ldexp(mantissa, -f.mantissa_bits);
  const double sign = code >> (f.exponent_bits + f.mantissa_bits) ? -1 : 1;
  const bool last_E = E + 1 == 1 << f.exponent_bits;
  const bool last_mantissa = mantissa + 1 == 1 << f.mantissa_bits;
  if (f.specials == Specials::nan_all_ones && last_E && last_mantissa) return NAN;
  if (f.specials == Specials::inf_and_nan && last_E) return mantissa == 0 ? sign * INFINITY : NAN;
  return sign * (E ? std::ldexp(1 + M, E - f.bias) : std::ldexp(M, 1 - f.bias));
}
static double scale_of(const ScaleFormat& f, uint32_t code) {
  if (f.name == "ue4m3") return value_of(e4m3, code & 0x7F);
  return code == 0xFF ? NAN : std::ldexp(1.0, int(code) - 127);
}

// The bits of a result that is `exact` or its one rounding; `zero` is what an exact zero gives.
static uint32_t bits_of(double exact, const Datapath& d, uint32_t zero) {
  const bool is_aligned = d.kind == Accumulation::aligned;
  if (std::isnan(exact)) return is_aligned ? 0x7FFFFFFF : 0x7FC00000;
  if (exact == 0) return zero;
  const auto bits = std::bit_cast<uint32_t>(float(exact));
  return is_aligned && bits == 0x80000000 ? 0 : bits;
}

static uint32_t one_product(const Datapath& d, const BlockFormat& a, const BlockFormat& b,
                            uint8_t code_a, uint8_t code_b, uint8_t scale_a, uint8_t scale_b) {
  return dot_ref(d, 0, {&a, a.block, {&code_a, 1}, {&scale_a, 1}},
                 {&b, b.block, {&code_b, 1}, {&scale_b, 1}});
}

// The same pairs meet accumulators and scales of a list, datapaths and list running on with the
// pairs, against the second construction.
BOOST_AUTO_TEST_CASE(all_pairs_of_elements_meet_accumulators_and_scales) {
  constexpr std::array<uint32_t, 11> accumulators{0x80000000, 0x00000001, 0x807FFFFF, 0x00800000,
                                                  0xBF800000, 0x3F800001, 0x4B7FFFFF, 0xCB800001,
                                                  0x7F7FFFFF, 0xFF800000, 0x33FFFFFF};
  constexpr std::array<uint8_t, 7> scales{127, 52, 0, 190, 115, 134, 254};
  size_t turn = 0;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      if (a.scale != b.scale) continue;
      int mismatches = 0, control = 0;
      for (uint32_t x = 0; x < 1u << a.element->bits(); ++x)
        for (uint32_t y = 0; y < 1u << b.element->bits(); ++y) {
          ++turn;
          const Datapath& d = datapaths[turn % datapaths.size()];
          const uint32_t acc = accumulators[turn % accumulators.size()];
          const auto code_a = uint8_t(x), code_b = uint8_t(y);
          const uint8_t scale_a = scales[turn % scales.size()], scale_b = scales[turn / 7 % 7];
          const RowView row_a{&a, a.block, {&code_a, 1}, {&scale_a, 1}};
          const RowView row_b{&b, b.block, {&code_b, 1}, {&scale_b, 1}};
          const uint32_t expected = oracle::dot(d, acc, row_a, row_b);
          mismatches += dot_ref(d, acc, row_a, row_b) != expected;
          // Planted: the accumulator is one last place off.
          control += dot_ref(d, acc ^ 1, row_a, row_b) != expected;
        }
      BOOST_TEST(mismatches == 0, a.name << " × " << b.name);
      BOOST_TEST(control > 0);
    }
}

// Scales 1, accumulator +0: a product has at most 15 bits, so every datapath gives it exactly, or
// rounds it once, but those that align to fewer fraction bits than the tensor cores' 13
// (datapath_oracle_test.cc has them).
static bool keeps_products(const Datapath& d) {
  return d.kind != Accumulation::aligned || d.alignment.fraction_bits >= 13;
}
BOOST_AUTO_TEST_CASE(all_pairs_of_elements_of_all_pairs_of_formats_on_every_datapath) {
  int64_t compared = 0;
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats) {
      if (a.scale != b.scale) continue;
      const uint8_t one = a.scale->name == "e8m0" ? 127 : 0x38;
      int mismatches = 0, control = 0;
      for (uint32_t x = 0; x < 1u << a.element->bits(); ++x)
        for (uint32_t y = 0; y < 1u << b.element->bits(); ++y) {
          const double exact = value_of(*a.element, x) * value_of(*b.element, y);
          for (const Datapath& d : datapaths) {
            if (!keeps_products(d)) continue;
            const uint32_t expected = bits_of(exact, d, 0);
            const uint32_t got = one_product(d, a, b, uint8_t(x), uint8_t(y), one, one);
            ++compared;
            if (got != expected && ++mismatches == 1)
              BOOST_TEST_MESSAGE(d.name << ", " << a.name << " × " << b.name << ": 0x"
                                        << to_hex(x, 2) << " · 0x" << to_hex(y, 2)
                                        << ": expected 0x" << to_hex(expected, 8) << ", got 0x"
                                        << to_hex(got, 8));
          }
          // Planted: the sign of b's element is lost.
          control +=
              bits_of(value_of(*a.element, x) * std::fabs(value_of(*b.element, y)), datapaths[0],
                      0) != one_product(datapaths[0], a, b, uint8_t(x), uint8_t(y), one, one);
        }
      BOOST_TEST(mismatches == 0, a.name << " × " << b.name);
      BOOST_TEST(control > 0);
    }
  int64_t codes = 0;
  for (const BlockFormat* format : mx_formats()) codes += 1 << format->element->bits();
  BOOST_TEST(compared >=
             (codes * codes + 16 * 16) * std::ranges::count_if(datapaths, keeps_products));
}

// All pairs of scales under products of one bit and of many, negative ones, subnormal ones.
BOOST_AUTO_TEST_CASE(all_pairs_of_scales_on_every_datapath) {
  const struct {
    const char* format;
    std::array<std::pair<uint8_t, uint8_t>, 3> codes;
  } operands[] = {{"mxfp4", {{{0x2, 0x2}, {0x7, 0xF}, {0x1, 0x1}}}},
                  {"mxfp8_e4m3", {{{0x3F, 0x3D}, {0x81, 0x7E}, {0x7F, 0x38}}}},
                  {"mxfp8_e5m2", {{{0x3F, 0xBF}, {0x01, 0x01}, {0x7C, 0xC0}}}},
                  {"mxint8", {{{0x80, 0x80}, {0x7F, 0x81}, {0x01, 0x01}}}},
                  {"nvfp4", {{{0x2, 0x2}, {0x7, 0xF}, {0x1, 0x1}}}}};
  for (const auto& o : operands) {
    const BlockFormat& f = block_format(o.format);
    int mismatches = 0, control = 0;
    for (uint32_t scale_a = 0; scale_a < 256; ++scale_a)
      for (uint32_t scale_b = 0; scale_b < 256; ++scale_b)
        for (const auto& [x, y] : o.codes) {
          const double exact = value_of(*f.element, x) * value_of(*f.element, y) *
                               scale_of(*f.scale, scale_a) * scale_of(*f.scale, scale_b);
          for (const Datapath& d : datapaths) {
            if (d.kind == Accumulation::aligned) continue;  // truncates: datapath_oracle_test.cc
            const uint32_t got = one_product(d, f, f, x, y, uint8_t(scale_a), uint8_t(scale_b));
            // An exact zero gives +0; what rounds to zero keeps its sign where +0 is not added.
            const bool added = d.kind == Accumulation::blockwise;
            uint32_t expected = bits_of(exact, d, 0);
            if (added && expected == 0x80000000) expected = 0;
            if (got != expected && ++mismatches == 1)
              BOOST_TEST_MESSAGE(d.name << ", " << f.name << " 0x" << to_hex(x, 2) << " · 0x"
                                        << to_hex(y, 2) << " scales 0x" << to_hex(scale_a, 2)
                                        << " 0x" << to_hex(scale_b, 2) << ": expected 0x"
                                        << to_hex(expected, 8) << ", got 0x" << to_hex(got, 8));
            control += got != bits_of(exact / 2, d, 0);
          }
        }
    BOOST_TEST(mismatches == 0, f.name);
    BOOST_TEST(control > 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
