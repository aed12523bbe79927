// The conversions of the torch formulation against the definition, quantize_ref and dequantize.

#include "golden/formulation/conversion.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <sstream>

#include "emu/philox.h"
#include "emu/quantize.h"
#include "golden/formulation/encoding.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(torch_conversion)

static constexpr uint64_t seed = 1;

struct Values {
  std::string what;
  int64_t rows, K;
  std::vector<float> x;
};

// Blocks whose maximum has any exponent, the others within some binades of it or anywhere; now and
// then zeros of both signs, a NaN, an Inf.
static Values random_values(int64_t rows, int64_t K) {
  std::mt19937_64 random(seed);
  Values v{"random values", rows, K, {}};
  for (int64_t i = 0; i < rows * K; ++i) {
    const auto top = uint32_t(i / 64 * 37 % 255), below = uint32_t(random() % 16);
    const uint32_t exponent = random() % 8 == 0 ? random() % 255 : top - std::min(top, below);
    uint32_t bits = exponent << 23 | (uint32_t(random()) & 0x807FFFFF);
    if (random() % 16 == 0) bits &= 0x80000000;
    if (random() % 500 == 0) bits = random() % 2 ? 0x7F800000 : 0xFFC00001;
    v.x.push_back(std::bit_cast<float>(bits));
  }
  return v;
}

// Maxima and elements at the ties of a format and just beside them, at the ends of binary32 too.
static Values ties(const BlockFormat& format, Prescale p) {
  const ElementFormat& f = *format.element;
  Values v{"ties", 0, 40, {}};
  for (const int exponent : {-149, -140, -127, -126, -3, 0, 5, 100, 127})
    for (const int beside : {-1, 0, 1}) {
      for (int64_t k = 0; k < v.K; ++k) {
        // Halves of the code's last place, over p, so that the products lie at ties.
        const double half_units = double(k == 0 ? 4 * (k + 2) << f.mantissa_bits : k * 3 + 1);
        const double value = half_units / (4 << f.mantissa_bits) * p.denominator / p.numerator;
        const auto x = float(std::ldexp(value, exponent));
        const uint32_t bits = std::bit_cast<uint32_t>(x) + uint32_t(x == 0 ? 0 : beside);
        v.x.push_back(std::bit_cast<float>(bits) * (k % 3 ? 1.0f : -1.0f));
      }
      ++v.rows;
    }
  return v;
}

static std::string in_words(const Conversion& c) {
  std::ostringstream text;
  text << c.format->name << ", " << c.rule->name << ", " << c.rounding->name << ", pre-scale "
       << to_string(c.prescale) << (c.relabel ? " relabelled" : "") << ", block " << c.block
       << (c.scale_by_row ? ", a scale for each row" : "") << ", seed " << c.seed;
  return text.str();
}

static std::string first_difference(const Values& v, const MxTensor& expected,
                                    const MxTensor& got) {
  std::ostringstream text;
  text << std::hex;
  for (size_t i = 0; i < expected.tensor_scales.size(); ++i)
    if (expected.tensor_scales[i] != got.tensor_scales[i])
      text << "tensor scale " << i << ": expected 0x"
           << std::bit_cast<uint32_t>(expected.tensor_scales[i]) << ", got 0x"
           << std::bit_cast<uint32_t>(got.tensor_scales[i]) << "; ";
  for (size_t i = 0; i < expected.scales.size() && text.str().empty(); ++i)
    if (expected.scales[i] != got.scales[i])
      text << "scale " << i << ": expected 0x" << int(expected.scales[i]) << ", got 0x"
           << int(got.scales[i]);
  for (size_t i = 0; i < expected.codes.size() && text.str().empty(); ++i)
    if (expected.codes[i] != got.codes[i])
      text << "element " << i << " 0x" << std::bit_cast<uint32_t>(v.x[i]) << ": expected code 0x"
           << int(expected.codes[i]) << ", got 0x" << int(got.codes[i]);
  return text.str();
}

static at::Tensor tensor_of(const std::vector<float>& x, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(x.data()), shape, at::kFloat);
}

static void expect_the_definition(const Values& v, const Conversion& conversion) {
  const std::vector<int64_t> shape{v.rows, v.K};
  const MxTensor expected = quantize_ref(v.x, shape, conversion);
  const MxTensor got = formulation::quantize(tensor_of(v.x, shape), conversion);
  BOOST_TEST((got == expected),
             in_words(conversion) << ", " << v.what << ": " << first_difference(v, expected, got));
  const std::vector<float> values = dequantize(expected);
  const at::Tensor of_torch = formulation::dequantize(expected);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<uint32_t>(of_torch.data_ptr<float>()[i]);
    if (bits == std::bit_cast<uint32_t>(values[i])) continue;
    BOOST_TEST(false, in_words(conversion)
                          << ", " << v.what << ": dequantized element " << i << ": expected 0x"
                          << std::hex << std::bit_cast<uint32_t>(values[i]) << ", got 0x" << bits);
    return;
  }
}

// Whether the formulation computes the rule and the rounding; where it does not it says so.
static bool computes(const Conversion& conversion) {
  try {
    formulation::quantize(tensor_of({1}, {1, 1}), conversion);
    return true;
  } catch (const UsageError& e) {
    BOOST_TEST_MESSAGE("skipped: " << e.what());
    return false;
  }
}

// Every conversion of a format, on values that it makes of the pre-scale.
template <typename Function>
static void for_every_conversion(const BlockFormat& format, const Function& function) {
  for (const Rounding& rounding : roundings) {
    if (!computes({.format = &format, .rounding = &rounding})) continue;
    if (format.has_tensor_scale()) {
      for (const bool by_row : {false, true})
        function(Conversion{.format = &format,
                            .rounding = &rounding,
                            .seed = 0xFEDCBA9876543210 + by_row,
                            .scale_by_row = by_row});
      continue;
    }
    for (const ScaleRule& rule : scale_rules) {
      if (!computes({.format = &format, .rule = &rule})) continue;
      for (const Prescale p : {Prescale{}, Prescale{3, 4}, Prescale{65535, 65534}})
        for (const bool relabel : {false, true})
          if (!relabel || !p.is_one())
            function(Conversion{.format = &format,
                                .rule = &rule,
                                .rounding = &rounding,
                                .prescale = p,
                                .block = format.block,
                                .relabel = relabel,
                                .seed = 7});
    }
  }
}

BOOST_AUTO_TEST_CASE(codes_scales_and_values_are_those_of_the_definition) {
  int conversions = 0;
  const Values random = random_values(24, 75), few = random_values(4, 75);
  for (const BlockFormat& format : block_formats)
    for_every_conversion(format, [&](const Conversion& conversion) {
      ++conversions;
      expect_the_definition(conversion.rule->searches ? few : random, conversion);
      expect_the_definition(ties(format, conversion.prescale), conversion);
    });
  BOOST_TEST(conversions >= 6 * 4 * 5 * 5 + 4 * 2);
}

BOOST_AUTO_TEST_CASE(every_block_length) {
  const Values v = random_values(6, 150);
  for (const BlockFormat& format : block_formats)
    for (const int block : block_lengths)
      if (is_block_length(format, block))
        expect_the_definition(v, {.format = &format, .rule = &scale_rules[0], .block = block});
}

BOOST_AUTO_TEST_CASE(every_magnitude_of_a_binade_that_rounds_near_a_tie) {
  // One element a block beside a maximum that fixes the scale: all significands of 12 bits, in two
  // binades about the least subnormal code and in two about the largest.
  for (const BlockFormat& format : block_formats) {
    const ElementFormat& f = *format.element;
    Values v{"significands", 1, 0, {}};
    for (const int exponent : {f.unit_log2() - 1, f.unit_log2(), f.emax() - 1, f.emax()})
      for (uint32_t significand = 0; significand < 4096; ++significand) {
        v.x.push_back(std::ldexp(1.0f, f.emax()));
        v.x.push_back(std::ldexp(1.0f + float(significand) / 4096.0f, exponent));
        for (int k = 2; k < format.block; ++k) v.x.push_back(0);
      }
    v.K = int64_t(v.x.size());
    expect_the_definition(v, {.format = &format});
  }
}

BOOST_AUTO_TEST_CASE(quotients_beside_a_tie_by_less_than_the_bits_that_are_taken) {
  // x·p of mxint8 just above (q + 1/2) / 64, by less than 2^-32 of a code's last place: only a
  // pre-scale makes quotients with so many bits.
  std::mt19937_64 random(seed);
  int64_t found = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto numerator = uint32_t(65535 - random() % 4096);
    const auto denominator = uint32_t(65535 - random() % 4096);
    if (std::gcd(numerator, denominator) != 1 || denominator == 1) continue;
    const Prescale p{numerator, denominator};
    Values v{"beside ties", 1, 0, {}};
    for (int64_t q = 0; q < 64; ++q) {
      // N · 2^(e - 23) is the nearest binary32 of (2q + 1) / 128 / p, which lies near 2^e.
      const double wanted = double(2 * q + 1) / 128 * denominator / numerator;
      const int e = std::ilogb(wanted);
      const auto N = int64_t(std::llround(std::ldexp(wanted, 23 - e)));
      const int64_t tie = ((2 * q + 1) * denominator) << (23 - e);
      const int64_t beyond = N * numerator * 128 - tie;  // in units of 1/tie of the tie
      const bool is_close = beyond > 0 && beyond < int64_t(denominator) << (24 - e) >> 32;
      if (!is_close) continue;
      ++found;
      v.x.push_back(1.5f);  // the scale is 1
      v.x.push_back(std::ldexp(float(N), e - 23));
      for (int k = 2; k < 32; ++k) v.x.push_back(0);
    }
    v.K = int64_t(v.x.size());
    if (v.K > 0) expect_the_definition(v, {.format = &block_format("mxint8"), .prescale = p});
  }
  BOOST_TEST(found > 100);
}

BOOST_AUTO_TEST_CASE(random_words_are_those_of_philox) {
  for (const int64_t first : {int64_t(0), int64_t(0x3FFFFFFFC), int64_t(1) << 40}) {
    const at::Tensor words = formulation::random_words(~seed, at::arange(first, first + 64));
    for (int64_t i = 0; i < 64; ++i)
      BOOST_TEST(words.data_ptr<int64_t>()[i] == int64_t(philox::word(~seed, uint64_t(first + i))));
  }
}

BOOST_AUTO_TEST_CASE(a_planted_fault_shows_and_unknown_rows_are_refused) {
  const Values v = random_values(24, 75);
  const std::vector<int64_t> shape{v.rows, v.K};
  const Conversion conversion{.format = &block_format("mxfp8_e4m3")};
  const MxTensor expected = quantize_ref(v.x, shape, conversion);
  MxTensor faulty = formulation::quantize(tensor_of(v.x, shape), conversion);
  faulty.codes.back() ^= 1;
  BOOST_TEST(first_difference(v, expected, faulty).starts_with("element 707 "));
  // A rounding or rule that somebody adds is said to be missing, not taken for another.
  const Rounding odd{"odd", [](const Between&) { return true; }};
  const ScaleRule largest{"largest", [](const Magnitude&, const ElementFormat&) { return 0; }};
  for (const Conversion& unknown : {Conversion{.rounding = &odd}, Conversion{.rule = &largest}})
    BOOST_CHECK_THROW(formulation::quantize(tensor_of(v.x, shape), unknown), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
