// The conversions of the definition against the second construction (conversion_oracle.h).

#include "tests/emu/conversion_oracle.h"

#include <boost/test/unit_test.hpp>
#include <random>

#include "emu/binary32.h"
#include "emu/hex.h"
#include "emu/quantize.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(conversion_oracle)

static std::string words_of(const Conversion& c) {
  return std::string(c.format->name) + " " + std::string(c.rule->name) + " " +
         std::string(c.rounding->name) + " pre-scale " + to_string(c.prescale) +
         (c.relabel ? " relabel" : "") + " block " + std::to_string(c.block);
}

// Rows of K elements, whether the definition under `planted` converts x as the oracle under c does.
static bool agrees(std::span<const float> x, int64_t K, const Conversion& c,
                   const Conversion& planted) {
  const std::vector<int64_t> shape{int64_t(x.size()) / K, K};
  MxTensor got = quantize_ref(x, shape, planted);
  const MxTensor expected = oracle::convert(x, shape, c);
  got.conversion = c;
  if (got == expected) return true;
  if (planted == c) {
    std::string text;
    for (float v : x) text += to_hex(std::bit_cast<uint32_t>(v), 8) + " ";
    const auto hex = [](const std::vector<uint8_t>& bytes) {
      std::string digits;
      for (uint8_t byte : bytes) digits += to_hex(byte, 2);
      return digits;
    };
    BOOST_TEST_MESSAGE(words_of(c)
                       << " K " << K << " seed " << c.seed << ": x " << text << "expected "
                       << hex(expected.scales) << " " << hex(expected.codes) << ", got "
                       << hex(got.scales) << " " << hex(got.codes));
  }
  return false;
}

// A block of one binade or of many, ties, special values now and then.
static std::vector<float> random_elements(std::mt19937_64& random, size_t count) {
  std::vector<float> x(count);
  const auto top = uint32_t(random() % 8 == 0 ? random() % 3 : random() % 255);
  const uint64_t spread = 1 + random() % 24;
  for (float& v : x) {
    const uint32_t exponent = top - std::min(top, uint32_t(random() % spread));
    uint32_t bits = (uint32_t(random()) & 0x807FFFFF) | exponent << 23;
    if (random() % 3 == 0) bits &= 0xFFF00000;  // a tie of some format
    if (random() % 6 == 0) bits += uint32_t(random() % 3) - 1;
    v = std::bit_cast<float>(bits);
  }
  if (random() % 40 == 0) x[random() % count] = std::bit_cast<float>(0x7F800000u);
  if (random() % 40 == 0) x[random() % count] = std::bit_cast<float>(0xFFC00001u);
  if (random() % 30 == 0) std::ranges::fill(x, random() % 2 ? 0.0f : -0.0f);
  return x;
}

constexpr std::array<Prescale, 6> prescales{
    {{1, 1}, {3, 4}, {5, 7}, {65535, 65534}, {1, 65535}, {65535, 1}}};

// Every conversion that there is, block lengths and seeds in turn.
template <typename Visit>
static void for_every_conversion(Visit visit) {
  uint64_t turn = 0;
  for (const BlockFormat& format : block_formats)
    for (const Rounding& rounding : roundings)
      for (const ScaleRule& rule : scale_rules)
        for (const Prescale p : prescales)
          for (bool relabel : {false, true}) {
            Conversion c{.format = &format, .rounding = &rounding, .seed = turn * 0x123456789};
            if (format.has_tensor_scale()) {
              if (&rule != &scale_rules[0] || !p.is_one()) continue;
              c.scale_by_row = relabel;
            } else {
              c.rule = &rule;
              c.prescale = p;
              c.relabel = relabel;
              c.block = block_lengths[turn % block_lengths.size()];
            }
            ++turn;
            visit(c);
          }
}

BOOST_AUTO_TEST_CASE(every_rule_rounding_and_pre_scale_of_every_format) {
  const auto say_if_absent = [](std::string_view name) {
    if (!oracle::has_second_construction(name))
      BOOST_TEST_MESSAGE("skipped: '" << name
                                      << "' has no second construction in conversion_oracle.h");
  };
  for (const ScaleRule& rule : scale_rules) say_if_absent(rule.name);
  for (const Rounding& rounding : roundings) say_if_absent(rounding.name);
  std::mt19937_64 random(21);
  int compared = 0;
  for_every_conversion([&](const Conversion& c) {
    int mismatches = 0;
    for (int i = 0; i < (c.format->has_tensor_scale() ? 300 : 6); ++i) {
      const size_t K = 1 + random() % 70, rows = 1 + random() % 2;
      std::vector<float> x;
      for (size_t row = 0; row < rows; ++row)
        for (float v : random_elements(random, K)) x.push_back(v);
      mismatches += !agrees(x, int64_t(K), c, c);
      ++compared;
    }
    BOOST_TEST(mismatches == 0, words_of(c));
  });
  BOOST_TEST(compared > 8000);
}

// The control: each planted bug is a difference that such elements show.
BOOST_AUTO_TEST_CASE(planted_bugs_are_seen) {
  const auto is_seen = [](const Conversion& c, const Conversion& planted) {
    std::mt19937_64 random(22);
    for (int i = 0; i < 20000; ++i) {
      const size_t K = 16 + random() % 40;
      std::vector<float> x = random_elements(random, K);
      for (float v : random_elements(random, K)) x.push_back(v);
      if (!agrees(x, int64_t(K), c, planted)) return true;
    }
    return false;
  };
  for (const BlockFormat& format : block_formats) {
    const Conversion plain{.format = &format};
    for (const Rounding& right : roundings)
      for (const Rounding& wrong : roundings) {
        if (&right == &wrong) continue;
        Conversion c = plain, planted = plain;
        c.rounding = &right;
        planted.rounding = &wrong;
        BOOST_TEST(is_seen(c, planted), words_of(c) << " by " << wrong.name);
      }
    Conversion c = plain, planted = plain;
    c.rounding = planted.rounding = &rounding("stochastic");
    planted.seed = 1;
    BOOST_TEST(is_seen(c, planted), words_of(c) << " of another seed");
    if (format.has_tensor_scale()) {
      planted = plain;
      planted.scale_by_row = true;
      BOOST_TEST(is_seen(plain, planted), words_of(plain) << " by rows");
      continue;
    }
    for (const ScaleRule& right : scale_rules)
      for (const ScaleRule& wrong : scale_rules) {
        if (&right == &wrong) continue;
        c = planted = plain;
        c.rule = &right;
        planted.rule = &wrong;
        BOOST_TEST(is_seen(c, planted), words_of(c) << " by " << wrong.name);
      }
    c = planted = plain;
    c.prescale = planted.prescale = {3, 4};
    planted.relabel = true;
    BOOST_TEST(is_seen(c, planted), words_of(planted));
    planted = plain;
    planted.prescale = {4, 3};
    BOOST_TEST(is_seen(c, planted), words_of(planted));
  }
}

// Every tie between two codes, and its neighbours, under scales from end to end: an element at max
// finite fixes the scale.
BOOST_AUTO_TEST_CASE(every_tie_of_every_format_and_rounding) {
  int ties = 0;
  for (const BlockFormat& format : block_formats) {
    if (format.has_tensor_scale()) continue;
    const ElementFormat& f = *format.element;
    for (const Rounding& rounding : roundings)
      for (int s : {-100, -3, 0, 100}) {
        const Conversion c{.format = &format, .rounding = &rounding, .block = 128, .seed = 5};
        std::vector<float> x;
        for (uint32_t code = 0; code < f.max_code(); ++code) {
          const double low = std::ldexp(double(f.magnitude_units(code)), f.unit_log2() + s);
          const double high = std::ldexp(double(f.magnitude_units(code + 1)), f.unit_log2() + s);
          const auto tie = std::bit_cast<uint32_t>(float((low + high) / 2));
          ++ties;
          for (uint32_t beside : {tie - 1, tie, tie + 1})
            for (uint32_t sign : {0u, 0x80000000u})
              x.push_back(std::bit_cast<float>(beside | sign));
        }
        const auto largest =
            float(std::ldexp(double(f.magnitude_units(f.max_code())), f.unit_log2() + s));
        while (x.size() % 127 != 0) x.push_back(0.0f);
        std::vector<float> blocks;
        for (size_t i = 0; i < x.size(); ++i) {
          if (i % 127 == 0) blocks.push_back(largest);
          blocks.push_back(x[i]);
        }
        BOOST_TEST(agrees(blocks, 128, c, c), words_of(c) << " scale 2^" << s);
      }
  }
  BOOST_TEST(ties >= (7 + 31 + 31 + 126 + 123 + 127) * 16);
}

// All bfloat16 magnitudes as the largest of a block: every binade, every edge of every rule.
BOOST_AUTO_TEST_CASE(the_scale_of_every_bfloat16_magnitude_by_every_rule) {
  for (const BlockFormat& format : block_formats)
    for (const ScaleRule& rule : scale_rules) {
      if (format.has_tensor_scale()) continue;
      int mismatches = 0;
      const Conversion c{.format = &format, .rule = &rule};
      for (uint32_t high = 1; high < 0x7F80; ++high) {
        // mse takes six times as long: an eighth of the values, another one for each format.
        if (rule.searches && high % 8 != uint32_t(&format - block_formats.data()) % 8) continue;
        // The value, and its neighbours of binary32 where it has few bits.
        for (int beside : {-1, 0, 1}) {
          if (beside != 0 && (rule.searches || high % 8 != 0)) continue;
          const std::array<float, 1> x{std::bit_cast<float>((high << 16) + uint32_t(beside))};
          std::array<uint8_t, 1> got, expected;
          const uint8_t scale = quantize_block_ref(x, c, got);
          if (scale != oracle::convert_block(c, x, 0, expected) || got != expected)
            if (++mismatches == 1)
              BOOST_TEST_MESSAGE(words_of(c)
                                 << " x 0x" << to_hex(high << 16, 8) << " + " << beside);
        }
      }
      BOOST_TEST(mismatches == 0, words_of(c));
    }
}

BOOST_AUTO_TEST_CASE(every_code_under_every_scale_dequantizes_to_the_nearest_number) {
  std::mt19937_64 random(23);
  for (const BlockFormat& format : block_formats) {
    int mismatches = 0, control = 0;
    for (uint32_t scale = 0; scale < 256; ++scale)
      for (uint32_t code = 0; code < 1u << format.element->bits(); ++code) {
        const Prescale p = format.has_tensor_scale() ? Prescale{} : prescales[random() % 6];
        const auto g =
            std::bit_cast<float>(uint32_t((1 + random() % 254) << 23 | (random() & 0x7FFFFF)));
        const auto bits = [&](Prescale q) {
          return std::bit_cast<uint32_t>(
              dequantize_element(format, uint8_t(code), uint8_t(scale), q, g));
        };
        const uint32_t expected = oracle::dequantized(format, uint8_t(code), uint8_t(scale), p, g);
        if (bits(p) != expected && ++mismatches == 1)
          BOOST_TEST_MESSAGE(format.name << " pre-scale " << to_string(p) << " code " << code
                                         << " scale " << scale);
        control += bits({p.denominator, p.numerator}) != expected;
      }
    BOOST_TEST(mismatches == 0, format.name);
    if (!format.has_tensor_scale()) BOOST_TEST(control > 1000);
  }
}

// The 16-bit results: every number of the format, every tie between two and what lies beside it.
BOOST_AUTO_TEST_CASE(every_tie_of_bfloat16_and_binary16) {
  const struct {
    const char* name;
    int mantissa_bits, bias;
    uint16_t (*convert)(uint32_t);
  } formats[] = {{"bfloat16", 7, 127, binary32::to_bfloat16_rne},
                 {"binary16", 10, 15, binary32::to_binary16_rne}};
  for (const auto& f : formats) {
    const uint32_t infinity = (1u << 15) - (1u << f.mantissa_bits);
    const auto value = [&](uint32_t code) {
      return oracle::value_of_fields(int(code >> f.mantissa_bits),
                                     int(code & ((1u << f.mantissa_bits) - 1)), f.mantissa_bits,
                                     f.bias)
          .value();
    };
    int mismatches = 0, control = 0;
    const auto compare = [&](uint32_t bits) {
      const oracle::Real x = oracle::binary32_number(bits).value();
      const uint32_t low = oracle::largest(infinity, [&](uint32_t n) { return value(n) <= x; });
      uint32_t expected = low;
      if (low < infinity) {
        const oracle::Real twice = 2 * x, sum = value(low) + value(low + 1);
        expected += twice > sum || (twice == sum && low % 2 == 1);
      }
      mismatches +=
          f.convert(bits) != expected || f.convert(bits | 0x80000000) != (expected | 0x8000);
      control += bits != 0 && f.convert(bits - 1) != expected;
    };
    for (uint32_t code = 0; code < infinity; ++code) {
      const uint32_t number = oracle::nearest32(value(code));
      const uint32_t tie = oracle::nearest32(oracle::Real(value(code) + value(code + 1)), 2);
      for (uint32_t bits : {number, number + 1, tie - 1, tie, tie + 1})
        if (bits < 0x7F800000) compare(bits);
    }
    BOOST_TEST(mismatches == 0, f.name);
    BOOST_TEST(control > 0);
    BOOST_TEST(f.convert(0x7F800000) == infinity);
    BOOST_TEST(f.convert(0xFFC12345) == (f.bias == 127 ? 0x7FC0 : 0x7E00));
  }
}

BOOST_AUTO_TEST_SUITE_END()
