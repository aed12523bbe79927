// The engine `torch` against the definition.

#include "golden/formulation/torch_engine.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/binary32.h"
#include "emu/crosscheck/crosscheck.h"
#include "emu/crosscheck/random_product.h"
#include "emu/dot.h"
#include "emu/gemm.h"
#include "emu/threads.h"
#include "golden/formulation/digits.h"
#include "golden/formulation/rounding.h"
#include "tests/every_datapath.h"
#include "tests/format_counts.h"

using namespace mxref;

namespace {

constexpr uint64_t seed = 1;
constexpr int64_t count = 100000;

struct Sums {
  std::vector<double> acc, t;
};

// Accumulators, and terms of half their last place, or a few times that, moved by a part that
// float64 loses in the sum: just beside a tie of binary32.
Sums hard_sums() {
  std::mt19937_64 random(seed);
  const auto sign = [&] { return random() % 2 ? 1.0 : -1.0; };
  Sums sums;
  for (int64_t i = 0; i < count; ++i) {
    const int unit_log2 = int(random() % 200) - 149;
    const double acc = std::ldexp(double((1 << 23) + random() % (1 << 23)), unit_log2);
    const double half_unit = std::ldexp(1.0, unit_log2 - 1);
    const double beside = std::ldexp(half_unit, -30 - int(random() % 10));
    sums.acc.push_back(sign() * acc);
    sums.t.push_back(sign() * (half_unit * double(1 + random() % 4) + sign() * beside));
  }
  return sums;
}

at::Tensor tensor_of(std::vector<double>& values) {
  return at::from_blob(values.data(), {int64_t(values.size())}, at::kDouble);
}

uint32_t bits(double x) { return std::bit_cast<uint32_t>(float(x)); }

// RNE32(acc + t) in integers.
uint32_t sum_rne(double acc, double t) {
  BOOST_REQUIRE(std::isfinite(acc) && std::isfinite(t));
  int exponent_t = 0;
  const auto units = int64_t(std::ldexp(std::frexp(t, &exponent_t), 53));
  BlockSum sum{.units = units, .unit_log2 = exponent_t - 53, .has_nonzero_product = t != 0};
  return accumulate_block(datapath("fused"), bits(acc), sum, 127, 127);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_engine)

// Runs the comparison and says what it found; returns how many pairs of formats were compared.
static size_t expect_the_definition(const Datapath& datapath,
                                    const std::vector<const BlockFormat*>& formats = {},
                                    const std::vector<const BlockFormat*>& formats_b = {}) {
  const CrosscheckReport report = crosscheck(
      {{"torch", make_torch_engine}},
      {.formats = formats, .formats_b = formats_b, .datapaths = {&datapath}, .seed = seed});
  size_t pairs = 0;
  for (const CrosscheckRow& row : report.rows) {
    BOOST_TEST(row.compared > 2000, row.reason);
    BOOST_TEST(row.mismatches == 0, row.format_a + " × " + row.format_b + " on " + row.datapath);
    ++pairs;
  }
  for (const std::string& failure : report.failures) BOOST_TEST_MESSAGE(failure);
  BOOST_TEST(report.passed(), datapath.name);  // its controls are caught
  return pairs;
}

BOOST_AUTO_TEST_CASE(bits_are_those_of_the_definition_for_every_pair_of_formats_and_block_length) {
  const int before = threads();
  for (const int thread_count : {1, 2}) {
    set_threads(thread_count);
    BOOST_TEST(expect_the_definition(datapath("fused")) == pairs_of_formats());
    BOOST_TEST(threads() == thread_count);  // libtorch has not set another number
  }
  set_threads(before);
}

// Each datapath on one pair of MX formats, another one for the next datapath, and on nvfp4: all
// pairs on all datapaths take minutes, `mxref crosscheck --impl torch`.
BOOST_AUTO_TEST_CASE(bits_are_those_of_the_definition_on_every_datapath) {
  const auto& all = every_datapath();
  const auto& mx = mx_formats();
  for (size_t d = 0; d < all.size(); ++d) {
    expect_the_definition(*all[d], {mx[d % mx.size()]}, {mx[(d + d / mx.size() + 1) % mx.size()]});
    if (all[d]->alignment.group > 1)  // sums of more bits than float64 has
      expect_the_definition(*all[d], {&block_format("mxfp8_e5m2")});
    if (all[d]->alignment.group <= 16) expect_the_definition(*all[d], {&block_format("nvfp4")});
  }
}

static std::vector<float> product(Engine& engine, const GivenProduct& p, const Datapath& datapath) {
  std::vector<float> d(size_t(p.a.rows() * p.b.rows()));
  engine.multiply(p.a, *engine.prepare(p.b, datapath), p.c, d);
  return d;
}

static bool same_bits(std::span<const float> x, std::span<const float> y) {
  return std::ranges::equal(x, y, {}, std::bit_cast<uint32_t, float>,
                            std::bit_cast<uint32_t, float>);
}

BOOST_AUTO_TEST_CASE(flush_to_zero_of_the_library_changes_no_bits) {
  const auto torch = make_torch_engine(), ref = make_ref_engine();
  at::Tensor least = at::full({1}, 0x1p-149, at::kDouble);
  int64_t subnormal = 0;
  for (const char* name : {"fused", "blockwise", "sequential", "exact", "tensorcore_mxf8"})
    for (uint64_t i = 0; i < 32; ++i) {
      const GivenProduct p =
          random_product(block_format("mxfp8_e5m2"), block_format("mxfp4"), seed + i);
      const std::vector<float> expected = product(*ref, p, datapath(name));
      BOOST_REQUIRE(at::globalContext().setFlushDenormal(true));
      const bool flushes = (least.to(at::kFloat).view(at::kInt) == 0).item<bool>();
      const std::vector<float> got = product(*torch, p, datapath(name));
      at::globalContext().setFlushDenormal(false);
      BOOST_TEST(flushes);  // the control: the library's own conversion does
      BOOST_TEST(same_bits(got, expected), name << ", seed " << seed + i);
      for (const float x : expected) subnormal += std::fpclassify(x) == FP_SUBNORMAL;
    }
  BOOST_TEST(subnormal > 1000);
}

BOOST_AUTO_TEST_CASE(no_format_is_refused_but_one_too_wide_for_float64) {
  const auto torch = make_torch_engine();
  for (const BlockFormat& a : block_formats)
    for (const BlockFormat& b : block_formats)
      for (const Datapath& path : datapaths) BOOST_TEST(torch->refuses(a, b, 128, path) == "");
  const ElementFormat e5m17{.name = "e5m17", .exponent_bits = 5, .mantissa_bits = 17, .bias = 15};
  const BlockFormat wide{.name = "wide", .element = &e5m17};
  BOOST_TEST(torch->refuses(wide, wide, 32, datapath("fused")) ==
             "a block's sum of half elements takes 54 bits, and float64 has 53");
}

BOOST_AUTO_TEST_CASE(exact_sums_of_long_rows) {
  constexpr int64_t K = 70000;  // longer than float64 sums products of digits
  GivenProduct p{"long", {}, {}, {}};
  std::mt19937_64 random(seed);
  for (MxTensor* q : {&p.a, &p.b}) {
    *q = {{.format = &block_format("mxfp8_e5m2")}, {2, K}, std::vector<uint8_t>(2 * K), {}};
    for (uint8_t& code : q->codes) code = uint8_t(0x7B - random() % 4);  // the largest
    q->scales.assign(size_t(2 * q->blocks_per_row()), 127);
  }
  const auto torch = make_torch_engine(), ref = make_ref_engine();
  BOOST_TEST(same_bits(product(*torch, p, datapath("exact")), product(*ref, p, datapath("exact"))));
}

BOOST_AUTO_TEST_CASE(sums_in_digits_are_rounded_once) {
  std::mt19937_64 random(seed);
  int64_t differences = 0;
  for (int i = 0; i < 3000; ++i) {
    // 100 bits in digits that are not carried; half of them lie at a tie of binary32 or beside it.
    __int128 sum = 0;
    formulation::Digits digits;
    for (int index = 0; index < 6; ++index) {
      int64_t digit = int64_t(random() % (1 << 20)) - (1 << 19);
      if (i % 2) {  // 24 bits from 2^80 on, half of the last of them, and a little or nothing
        constexpr int64_t first = 1 << 16, half = 1 << 8;
        digit = index == 4   ? first + int64_t(random() % first)
                : index == 3 ? half
                : index == 0 ? int64_t(random() % 3) - 1
                             : 0;
      }
      sum += __int128(digit) << (16 * index);
      formulation::add_digit(digits, index - 3, at::full({1}, digit, at::kLong));
    }
    const uint32_t expected =
        binary32::round_rne(sum < 0, static_cast<binary32::uint128>(sum < 0 ? -sum : sum), -48);
    const at::Tensor odd = formulation::round_to_odd(digits);
    const uint32_t got = bits(formulation::to_binary32(odd).item<double>());
    BOOST_REQUIRE_MESSAGE(got == expected, "seed " << seed << ", index " << i << ": expected 0x"
                                                   << std::hex << expected << ", got 0x" << got);
    differences += bits(double(sum) * 0x1p-48) != expected;  // the control rounds twice
  }
  BOOST_TEST(differences > 0);
}

BOOST_AUTO_TEST_CASE(sums_are_rounded_once_and_a_second_rounding_shows) {
  Sums sums = hard_sums();
  const at::Tensor acc = tensor_of(sums.acc), t = tensor_of(sums.t);
  const at::Tensor once = formulation::add_rounding_once(acc, {t});
  const at::Tensor twice = acc + t;  // the control: float64's rounding, then binary32's
  int64_t differences = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t expected = sum_rne(sums.acc[i], sums.t[i]);
    BOOST_REQUIRE_MESSAGE(bits(once.data_ptr<double>()[i]) == expected,
                          "acc 0x" << std::hex << bits(sums.acc[i]) << " t " << std::hexfloat
                                   << sums.t[i] << ": expected 0x" << expected << ", got 0x"
                                   << bits(once.data_ptr<double>()[i]) << " (seed " << std::dec
                                   << seed << ", index " << i << ")");
    differences += bits(twice.data_ptr<double>()[i]) != expected;
  }
  BOOST_TEST(differences > 0);
}

BOOST_AUTO_TEST_CASE(quotients_by_prescales_are_rounded_once) {
  std::mt19937_64 random(seed);
  const Prescale prescales[][2] = {
      {{3, 4}, {3, 4}},         {{3, 4}, {1, 1}},         {{65535, 65534}, {65533, 65535}},
      {{1, 65535}, {1, 65533}}, {{65535, 1}, {65533, 1}}, {{65521, 2}, {3, 65519}}};
  for (const auto& [p_a, p_b] : prescales) {
    std::vector<double> acc;
    while (acc.size() < 20000) {
      const auto x = std::bit_cast<float>(uint32_t(random()));
      if (!std::isnan(x)) acc.push_back(x);
    }
    for (const uint32_t special : {0u, 0x80000000u, 1u, 0x80000001u, 0x7F800000u, 0xFF800000u})
      acc.push_back(std::bit_cast<float>(special));
    const at::Tensor got = formulation::divide_rounding_once(tensor_of(acc), p_a, p_b);
    for (size_t i = 0; i < acc.size(); ++i) {
      // C = -0 leaves the quotient's bits as they are.
      const uint32_t expected = last_step(
          datapath("fused"), bits(acc[i]),
          {uint64_t(p_a.denominator) * p_b.denominator, uint64_t(p_a.numerator) * p_b.numerator},
          0x80000000);
      BOOST_REQUIRE_MESSAGE(bits(got.data_ptr<double>()[i]) == expected,
                            "acc 0x" << std::hex << bits(acc[i]) << " / (" << to_string(p_a)
                                     << " · " << to_string(p_b) << "): expected 0x" << expected
                                     << ", got 0x" << bits(got.data_ptr<double>()[i]) << " (seed "
                                     << std::dec << seed << ", index " << i << ")");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
