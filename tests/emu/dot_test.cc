#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/binary32.h"
#include "emu/dot.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(dot)

static uint32_t fused(uint32_t acc, const BlockSum& s, int scale_log2) {
  return accumulate_block(datapath("fused"), acc, s, uint8_t(127), uint8_t(127 + scale_log2));
}
static uint32_t bits(float x) { return std::bit_cast<uint32_t>(x); }

BOOST_AUTO_TEST_CASE(agrees_with_the_hosts_fma_where_the_sum_fits_binary32) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto acc = uint32_t(random());
    if (!binary32::is_finite(acc)) continue;
    BlockSum s;
    s.units = int64_t(random() % (1u << 25)) - (1 << 24);
    s.has_nonzero_product = true;
    s.unit_log2 = -18;
    const int e = int(random() % 200) - 100;
    const float expected =
        std::fma(float(int64_t(s.units)), std::ldexp(1.0f, e - 18), std::bit_cast<float>(acc));
    const uint32_t got = fused(acc, s, e);
    BOOST_REQUIRE_MESSAGE(got == bits(expected),
                          "fused acc 0x" << std::hex << acc << " units " << std::dec
                                         << int64_t(s.units) << " scale 2^" << e << ": expected 0x"
                                         << std::hex << bits(expected) << ", got 0x" << got
                                         << " (seed 1, index " << std::dec << i << ")");
  }
}

BOOST_AUTO_TEST_CASE(zero_rules) {
  const BlockSum none{0, -2, false, false}, cancelled{0, -2, false, true};
  BOOST_TEST(fused(0x80000000, none, 0) == 0x80000000u);
  BOOST_TEST(fused(0x80000000, cancelled, 0) == 0u);
  BOOST_TEST(fused(0, none, 0) == 0u);
  BOOST_TEST(fused(bits(1.5f), BlockSum{-6, -2, false, true}, 0) == 0u);
}

BOOST_AUTO_TEST_CASE(nan_and_infinity) {
  const BlockSum one{4, -2, false, true}, nan{4, -2, true, true};
  BOOST_TEST(fused(bits(1), nan, 0) == 0x7FC00000u);
  BOOST_TEST(fused(0xFFC12345, one, 0) == 0x7FC00000u);
  BOOST_TEST(accumulate_block(datapath("fused"), 0, one, 0xFF, 127) == 0x7FC00000u);
  BOOST_TEST(fused(0x7F7FFFFF, one, 127) == 0x7F800000u);
  BOOST_TEST(fused(0x7F800000, BlockSum{-4, -2, false, true}, 127) == 0x7F800000u);
}

BOOST_AUTO_TEST_CASE(a_far_smaller_term_breaks_a_tie) {
  // 1 + 2^-24 is a tie to even (1); a block that adds 2^-200 more rounds up, 2^-200 less stays.
  const BlockSum tie{1, -24, false, true};
  BOOST_TEST(fused(bits(1), tie, 0) == bits(1));
  BlockSum wide{(__int128(1) << 60) + 1, -84, false, true};
  BOOST_TEST(fused(bits(1), wide, 0) == bits(1) + 1);
  wide.units -= 2;
  BOOST_TEST(fused(bits(1), wide, 0) == bits(1));
}

BOOST_AUTO_TEST_SUITE_END()
