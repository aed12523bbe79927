// The conversion kernels against the definition quantize_block_ref: the same bits.

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <random>
#include <sstream>

#include "emu/codec.h"
#include "emu/kernels/kernels.h"
#include "emu/philox.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "tests/emu/every_isa.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(quantize_kernel)

using Random = std::mt19937_64;

constexpr Prescale one{}, three_quarters{3, 4};

// The first place where the tensors differ, in words.
static std::optional<std::string> difference(std::span<const float> x, const MxTensor& expected,
                                             const MxTensor& got) {
  std::ostringstream text;
  text << std::hex;
  for (size_t i = 0; i < expected.scales.size(); ++i)
    if (expected.scales[i] != got.scales[i]) {
      text << "scale " << std::dec << i << std::hex << ": expected 0x" << int(expected.scales[i])
           << ", got 0x" << int(got.scales[i]);
      return text.str();
    }
  for (size_t i = 0; i < x.size(); ++i)
    if (expected.codes[i] != got.codes[i]) {
      text << "element " << std::dec << i << std::hex << " 0x" << std::bit_cast<uint32_t>(x[i])
           << ": expected code 0x" << int(expected.codes[i]) << ", got 0x" << int(got.codes[i]);
      return text.str();
    }
  return std::nullopt;
}

// Under a tensor scale there is no pre-scale, and the format's own block length.
static void expect_same(std::span<const float> x, int64_t K, Conversion conversion,
                        const std::string& what) {
  if (conversion.format->has_tensor_scale()) {
    if (!conversion.prescale.is_one()) return;
    conversion.block = conversion.format->block;
  }
  const std::vector<int64_t> shape = {int64_t(x.size()) / K, K};
  const MxTensor expected = quantize_ref(x, shape, conversion);
  for_every_isa([&](std::string_view isa) {
    const auto found = difference(x, expected, quantize(x, shape, conversion));
    BOOST_TEST(!found, isa << ", " << conversion.format->name << ", pre-scale "
                           << to_string(conversion.prescale) << ", block " << conversion.block
                           << ", K " << K << ", " << what << ": " << found.value_or(""));
  });
}

static void expect_same_for_all(std::span<const float> x, int64_t K, const std::string& what,
                                int block = 32) {
  for (const BlockFormat& format : block_formats)
    for (const Prescale p : {one, three_quarters})
      expect_same(x, K, {.format = &format, .prescale = p, .block = block}, what);
}

static float from_bits(uint32_t bits) { return std::bit_cast<float>(bits); }

BOOST_AUTO_TEST_CASE(every_exponent_of_the_maximum_with_random_elements) {
  Random random(1);
  std::vector<float> x;
  for (uint32_t exponent = 0; exponent < 256; ++exponent)
    for (int i = 0; i < 4 * 32; ++i) {
      // Most within 16 binades below the block's maximum, some anywhere.
      const uint32_t below = random() % 8 == 0 ? uint32_t(random() % 256) : uint32_t(random() % 16);
      const uint32_t biased = i % 32 == 0 ? exponent : exponent - std::min(exponent, below);
      const bool finite = biased < 255 || random() % 64 == 0;
      x.push_back(from_bits((finite ? biased : 254) << 23 | (uint32_t(random()) & 0x807FFFFF)));
    }
  expect_same_for_all(x, 32, "seed 1");
}

// For every code c: v·scale where v lies halfway between c and c + 1, and the binary32 numbers next
// to it; with the pre-scale 3/4 the quotient 4v/3 where it is a number, and its neighbours.
BOOST_AUTO_TEST_CASE(ties_of_every_code_and_their_neighbours) {
  for (const BlockFormat& format : block_formats) {
    const ElementFormat& f = *format.element;
    for (const Prescale p : {one, three_quarters}) {
      std::vector<float> x;
      for (uint32_t code = 0; code < f.max_code(); ++code)
        for (const int scale_log2 : {-100, 0, 90}) {
          const double halfway =
              double(f.magnitude_units(code) + f.magnitude_units(code + 1)) / 2 *
              std::ldexp(double(p.denominator) / p.numerator, f.unit_log2() + scale_log2);
          const auto bits = std::bit_cast<uint32_t>(float(halfway));
          x.push_back(std::ldexp(1.0f, f.emax() + scale_log2));  // the maximum fixes the scale
          for (const uint32_t near : {bits - 1, bits, bits + 1})
            for (const uint32_t sign : {0u, 0x80000000u}) x.push_back(from_bits(near | sign));
          x.push_back(-0.0f);
        }
      expect_same(x, 8, {.format = &format, .prescale = p, .block = 8}, "ties");
    }
  }
}

// All 2^16 values of the upper half of binary32, beside maxima far apart.
BOOST_AUTO_TEST_CASE(every_bfloat16_beside_several_maxima) {
  for (const uint32_t maximum : {0x00000001u, 0x00800000u, 0x2F123456u, 0x3F800000u, 0x40FFFFFFu,
                                 0x60ABCDEFu, 0x7F7FFFFFu}) {
    std::vector<float> x;
    for (uint32_t high = 0; high < 65536; ++high) {
      if (high % 7 == 0) x.push_back(from_bits(maximum));
      const bool above = ((high << 16) & 0x7FFFFFFF) > maximum;
      x.push_back(from_bits(above ? (high << 16 & 0x80000000) | (maximum - (high & 7) % maximum)
                                  : high << 16));
    }
    x.resize(x.size() / 8 * 8);
    expect_same_for_all(x, 8, "maximum " + std::to_string(maximum), 8);
  }
  // And beside each other, NaN and Inf among them.
  std::vector<float> x;
  for (uint32_t high = 0; high < 65536; ++high) x.push_back(from_bits(high << 16));
  expect_same_for_all(x, 64, "in order");
}

BOOST_AUTO_TEST_CASE(any_bits_of_any_length_and_block) {
  Random random(2);
  for (const int block : block_lengths)
    for (const int64_t K : {1, 7, 8, 9, 31, 33, 100, 255, 2100}) {
      std::vector<float> x(size_t(3 * K));
      for (float& v : x) v = from_bits(uint32_t(random()));
      expect_same_for_all(x, K, "seed 2, any bits", block);
      for (float& v : x) v = random() % 3 ? 0.0f : random() % 2 ? -0.0f : from_bits(3);
      expect_same_for_all(x, K, "seed 2, zeros", block);
    }
}

BOOST_AUTO_TEST_CASE(other_prescales) {
  Random random(3);
  std::vector<float> x(64 * 32);
  for (float& v : x) v = float(int64_t(random() % 65536) - 32768);
  for (const Prescale p : {Prescale{5, 7}, Prescale{1, 2}, Prescale{15, 16}, Prescale{17, 32},
                           Prescale{4, 3}, Prescale{65535, 1}, Prescale{1, 65535}})
    for (const BlockFormat& format : block_formats)
      expect_same(x, 64, {.format = &format, .prescale = p}, "seed 3");
}

// Every rule with every rounding, relabelled and not: on values like a model's, on ties of codes,
// and on any bits.
BOOST_AUTO_TEST_CASE(every_rule_and_rounding) {
  Random random(5);
  std::normal_distribution<float> normal;
  std::vector<float> x(32 * 32);
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t kind = i / 32 % 4;
    x[i] = kind == 0   ? normal(random)
           : kind == 1 ? float(int(random() % 64) - 32) * 0.125f  // multiples of a half code
           : kind == 2 ? from_bits(uint32_t(random()))
                       : std::ldexp(normal(random), int(random() % 24) - 140);
  }
  for (const ScaleRule& rule : scale_rules)
    for (const Rounding& rounding : roundings)
      for (const bool relabel : {false, true})
        for (const BlockFormat& format : block_formats) {
          if (format.has_tensor_scale() && (&rule != &scale_rules[0] || relabel)) continue;
          const Prescale p = relabel ? three_quarters : one;
          expect_same(x, 64,
                      {.format = &format,
                       .rule = &rule,
                       .rounding = &rounding,
                       .prescale = p,
                       .relabel = relabel,
                       .seed = 5},
                      std::string(rule.name) + ", " + std::string(rounding.name));
        }
}

// What the kernels of the other roundings rely on: a product of a significand of 24 bits and a
// numerator below 16 that is no binary32 number is not rounded to a power of two above it, and what
// it is above a code not to half of the distance of codes above that.
BOOST_AUTO_TEST_CASE(no_product_of_a_prescale_lies_just_below_a_power_of_two_or_a_half) {
  for (uint64_t numerator = 1; numerator < 16; ++numerator)
    for (int half = 25; half < 29; ++half)
      for (uint64_t code = 0; code << (half + 1) < uint64_t(1) << 28; ++code)
        for (uint64_t below = 1; below <= uint64_t(1) << (half - 25); ++below) {
          const uint64_t product = (code << (half + 1)) + (uint64_t(1) << half) - below;
          if (product % numerator == 0)
            BOOST_TEST(product / numerator >= 1u << 24, product << " / " << numerator);
        }
}

// Elements of which the fraction times 2^32 is the random word, and those just beside.
BOOST_AUTO_TEST_CASE(random_words_at_the_fraction) {
  constexpr uint64_t seed = 7;
  std::vector<float> x(size_t(1) << 17, 0.0f);
  int found = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const uint32_t word = philox::word(seed, i);
    if (i % 32 == 0) {
      x[i] = 6;  // the scale is 1
    } else if (word % 1024 == 0) {
      const float between = 4 + std::ldexp(float(word), -31);  // exact
      x[i] = i % 3 == 0 ? between : std::nextafter(between, i % 3 == 1 ? 0.0f : 8.0f);
      ++found;
    }
  }
  BOOST_TEST(found > 50);
  expect_same(x, 32,
              {.format = &block_format("mxfp4"), .rounding = &rounding("stochastic"), .seed = seed},
              "words at the fraction");
}

// Blocks in which several exponents give the same error, or almost.
BOOST_AUTO_TEST_CASE(searched_exponents_that_tie) {
  Random random(6);
  std::vector<float> x(64 * 32);
  for (size_t i = 0; i < x.size(); ++i) {
    const float magnitude = i / 32 % 3 == 0   ? 1.0f
                            : i / 32 % 3 == 1 ? float(1 + i % 3)
                                              : float(random() % 9) * 0.25f;
    x[i] = random() % 2 ? magnitude : -magnitude;
    if (random() % 50 == 0) x[i] = std::nextafter(x[i], 2.0f);
  }
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    for (const Prescale p : {one, three_quarters})
      expect_same(x, 64, {.format = &format, .rule = &scale_rule("mse"), .prescale = p}, "seed 6");
  }
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const int before = threads();
  Random random(4);
  std::vector<float> x(128 * 300);
  for (float& v : x) v = from_bits(uint32_t(random()) & 0x80FFFFFF);  // subnormal and just above
  for (const int count : {1, 2}) {
    set_threads(count);
    expect_same_for_all(x, 300, "seed 4");
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(control_a_planted_wrong_code_or_scale_is_found) {
  const std::vector<float> x = {1, -2, 3.5f, 0.1f};
  const Conversion conversion{.format = &block_formats[0]};
  const MxTensor expected = quantize_ref(x, {4}, conversion);
  MxTensor wrong = expected;
  wrong.codes[2] ^= 8;
  BOOST_TEST(difference(x, expected, wrong)->starts_with("element 2 0x40600000"));
  wrong = expected;
  wrong.scales[0] += 1;
  BOOST_TEST(difference(x, expected, wrong)->starts_with("scale 0"));
}

BOOST_AUTO_TEST_SUITE_END()
