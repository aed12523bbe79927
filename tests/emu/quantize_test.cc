#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "emu/quantize.h"
#include "tests/emu/nearest_oracle.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(quantization)

static MxTensor convert(std::vector<float> x, const char* format, Prescale p = {}) {
  const int64_t K = int64_t(x.size());
  return quantize(x, {K}, {.format = &block_format(format), .prescale = p});
}

BOOST_AUTO_TEST_CASE(nan_or_infinity_makes_the_block_nan_with_zero_codes) {
  for (float bad : {NAN, INFINITY, -INFINITY}) {
    const MxTensor q = convert({1, bad, -3}, "mxfp4");
    BOOST_TEST(q.scales == std::vector<uint8_t>{0xFF});
    BOOST_TEST(q.codes == (std::vector<uint8_t>{0, 0, 0}));
  }
}

BOOST_AUTO_TEST_CASE(zeros_keep_their_sign_under_scale_0) {
  const MxTensor q = convert({0.0f, -0.0f}, "mxfp4");
  BOOST_TEST(q.scales == std::vector<uint8_t>{0});
  BOOST_TEST(q.codes == (std::vector<uint8_t>{0, 8}));
}

BOOST_AUTO_TEST_CASE(floor_scale_clamps_at_both_ends) {
  BOOST_TEST(convert({std::numeric_limits<float>::denorm_min()}, "mxfp4").scales[0] == 0);
  BOOST_TEST(convert({std::numeric_limits<float>::max()}, "mxfp4").scales[0] ==
             252);  // 127 - 2 + 127
}

BOOST_AUTO_TEST_CASE(prescale_three_quarters_saturates_nothing_and_dequantizes_in_one_rounding) {
  const MxTensor q = convert({7.9f, 4.0f}, "mxfp4", {3, 4});
  BOOST_TEST(q.scales[0] == 127);                       // from the unscaled maximum
  BOOST_TEST(q.codes == (std::vector<uint8_t>{7, 5}));  // 5.925 → 6, 3 → 3
  BOOST_TEST(dequantize(q) == (std::vector<float>{8.0f, 4.0f}));
}

BOOST_AUTO_TEST_CASE(a_short_last_block_takes_its_scale_from_what_exists) {
  std::vector<float> x(33, 1.0f);
  x[32] = 0.25f;
  const MxTensor q = convert(x, "mxfp8_e4m3");
  BOOST_TEST(q.scales == (std::vector<uint8_t>{119, 117}));
}

BOOST_AUTO_TEST_CASE(mxint8_never_gives_its_least_code) {
  const MxTensor q = convert({-1.9999f, 1.9999f, -1.0f}, "mxint8");
  BOOST_TEST(q.scales[0] == 127);
  BOOST_TEST(q.codes == (std::vector<uint8_t>{0x81, 0x7F, 0xC0}));  // -127, 127, -64
}

// g = RNE32(A / 2688), A the largest of the blocks that are finite.
BOOST_AUTO_TEST_CASE(nvfp4_tensor_scales) {
  const BlockFormat& nvfp4 = block_format("nvfp4");
  const auto of = [&](const std::vector<float>& x, std::vector<int64_t> shape, bool by_row) {
    return quantize(x, std::move(shape), {.format = &nvfp4, .scale_by_row = by_row});
  };
  std::vector<float> x(32, 0.0f);
  x[1] = -0.0f;
  MxTensor q = of(x, {32}, false);
  BOOST_TEST(q.tensor_scales == std::vector<float>{1});
  BOOST_TEST(q.scales == (std::vector<uint8_t>{0, 0}));
  BOOST_TEST(q.codes[1] == 8);

  x[0] = 0x1p-149f;  // g never below 2^-126, and no scale of a block with a nonzero element is zero
  q = of(x, {32}, false);
  BOOST_TEST(q.tensor_scales == std::vector<float>{0x1p-126f});
  BOOST_TEST(q.scales == (std::vector<uint8_t>{1, 0}));

  x[0] = 5376;
  x[20] = NAN;
  x[21] = 1e30f;  // beside a NaN: it does not count
  q = of(x, {32}, false);
  BOOST_TEST(q.tensor_scales == std::vector<float>{2});
  BOOST_TEST(q.scales == (std::vector<uint8_t>{0x7E, 0x7F}));
  BOOST_TEST(q.codes[0] == 7);
  BOOST_TEST(q.codes[21] == 0);

  q = of({2688, 1, 8064, 3}, {2, 2}, true);  // of a left operand one a row
  BOOST_TEST(q.tensor_scales == (std::vector<float>{1, 3}));
}

// Reference against the oracle of another construction on random blocks of every exponent;
// `planted` is XORed into one reference code. Returns the mismatches.
static int compare_with_oracle(const Conversion& conversion, int blocks, uint8_t planted) {
  const NearestOracle oracle(*conversion.format);
  std::mt19937 random(7);
  int mismatches = 0;
  for (int block = 0; block < blocks; ++block) {
    const auto count = size_t(conversion.block);
    std::vector<float> x(count);
    const int exponent = int(random() % 254) + 1;
    for (float& v : x) {
      const int below = std::min(exponent, int(random() % 14));
      v = std::bit_cast<float>((uint32_t(random()) & 0x807FFFFF) | uint32_t(exponent - below)
                                                                       << 23);
      if (random() % 4 == 0)
        v = std::bit_cast<float>(std::bit_cast<uint32_t>(v) & 0xFFE00000);  // ties
    }
    const auto g =
        std::bit_cast<float>(uint32_t(std::clamp(exponent - int(random() % 12), 1, 254)) << 23 |
                             (uint32_t(random()) & 0x7FFFFF));
    const uint64_t first = random();
    std::vector<uint8_t> codes(count), expected(count);
    const uint8_t scale = quantize_block_ref(x, conversion, codes, {first, g});
    codes[random() % count] ^= planted;
    if (oracle.quantize(x, conversion, expected, first, g) != scale || codes != expected) {
      if (++mismatches == 1 && !planted)
        BOOST_TEST_MESSAGE(conversion.format->name
                           << " " << conversion.rule->name << " " << conversion.rounding->name
                           << " pre-scale " << to_string(conversion.prescale) << " block " << block
                           << " seed 7");
    }
  }
  return mismatches;
}

BOOST_AUTO_TEST_CASE(the_reference_gives_the_nearest_value) {
  for (const BlockFormat& format : block_formats) {
    const auto compare = [](const Conversion& c, int blocks) {
      BOOST_TEST(compare_with_oracle(c, blocks, 0) == 0);
      BOOST_TEST(compare_with_oracle(c, blocks, 1) > 0);  // control
    };
    for (const Rounding& rounding : roundings)
      compare({.format = &format, .rounding = &rounding, .seed = 3}, 5000);
    if (format.has_tensor_scale()) continue;
    for (const ScaleRule& rule : scale_rules)
      if (!rule.searches) compare({.format = &format, .rule = &rule}, 2000);
    for (Prescale p : {Prescale{3, 4}, Prescale{5, 7}})
      compare({.format = &format, .prescale = p}, 10000);
  }
}

BOOST_AUTO_TEST_SUITE_END()
