// The engine `torch` against the definition.

#include "golden/formulation/torch_engine.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/TensorOperators.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/binary32.h"
#include "emu/crosscheck/crosscheck.h"
#include "emu/dot.h"
#include "emu/gemm.h"
#include "emu/threads.h"
#include "golden/formulation/rounding.h"

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

BOOST_AUTO_TEST_CASE(bits_are_those_of_the_definition_for_every_pair_of_formats_and_block_length) {
  const int before = threads();
  for (const int thread_count : {1, 2}) {
    set_threads(thread_count);
    const CrosscheckReport report = crosscheck({{"torch", make_torch_engine}},
                                               {.datapaths = {&datapath("fused")}, .seed = seed});
    int pairs = 0;
    for (const CrosscheckRow& row : report.rows) {
      if (row.refused == row.products) continue;
      ++pairs;
      BOOST_TEST(row.refused == 0, row.reason);
      BOOST_TEST(row.compared > 30000);
      BOOST_TEST(row.mismatches == 0, row.format_a + " × " + row.format_b);
    }
    BOOST_TEST(pairs == 16);  // of e2m1, e3m2, e2m3, e4m3
    for (const std::string& failure : report.failures) BOOST_TEST_MESSAGE(failure);
    BOOST_TEST(report.passed());  // its controls are caught
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(sums_are_rounded_once_and_a_second_rounding_shows) {
  Sums sums = hard_sums();
  const at::Tensor acc = tensor_of(sums.acc), t = tensor_of(sums.t);
  const at::Tensor once = formulation::add_rounding_once(acc, t);
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
