#include "rtl_models/engine/rtl_engine.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>

#include "emu/array_port.h"
#include "emu/crosscheck/crosscheck.h"
#include "emu/crosscheck/random_product.h"
#include "emu/threads.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(rtl_engine)

// The formats of the array of its own.
static const CrosscheckOptions of_the_array{
    .formats = {&block_format("mxfp4"), &block_format("mxfp8_e4m3")},
    .datapaths = {&datapath("fused")},
    .level = 2};

BOOST_AUTO_TEST_CASE(gives_the_bits_of_the_definition) {
  const CrosscheckReport report = crosscheck({{"rtl", make_rtl_engine}}, of_the_array);
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.compared > 30000);
  for (const std::string& failure : report.failures) BOOST_ERROR(failure);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(gives_the_bits_of_the_definition_on_every_datapath_that_was_built) {
  const CrosscheckReport report = crosscheck({{"rtl", make_rtl_engine}}, {.level = 1});
  // Of 37 pairs of formats; tensorcore_f8f6f4 is tensorcore_mxf8 but for its name.
  BOOST_TEST(std::ranges::count_if(report.rows, [](const CrosscheckRow& row) {
               return row.compared > 100;
             }) == 37 * 7);
  for (const std::string& failure : report.failures) BOOST_ERROR(failure);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(control_a_fault_inside_the_hardware_shows_in_products) {
  const auto faulty = [] { return make_faulty_rtl_engine("sum_last_lane"); };
  const CrosscheckReport report = crosscheck({{"rtl", faulty}}, of_the_array);
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.mismatches > 0);
  BOOST_CHECK_THROW(make_faulty_rtl_engine("none"), UsageError);
}

BOOST_AUTO_TEST_CASE(bits_and_cost_do_not_depend_on_threads) {
  const int before = threads();
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const GivenProduct p = random_product(block_format("mxfp4"), block_format("mxfp8_e4m3"), seed);
    const auto run = [&](int count) {
      set_threads(count);
      const auto engine = make_rtl_engine();
      std::vector<float> d(size_t(p.a.rows() * p.b.rows()));
      engine->multiply(p.a, *engine->prepare(p.b, datapath("fused")), p.c, d);
      BOOST_TEST(engine->cost().macs == p.a.rows() * p.b.rows() * p.a.cols());
      BOOST_TEST(engine->cost().cycles > 0);
      std::vector<uint32_t> bits{uint32_t(engine->cost().cycles)};
      for (float x : d) bits.push_back(std::bit_cast<uint32_t>(x));
      return bits;
    };
    BOOST_CHECK(run(1) == run(2));
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(refuses_other_block_lengths_with_the_reason) {
  const auto engine = make_rtl_engine();
  const BlockFormat& mxfp4 = block_format("mxfp4");
  BOOST_TEST(engine->refuses(mxfp4, mxfp4, 32, datapath("fused")).empty());
  BOOST_TEST(engine->refuses(mxfp4, mxfp4, 16, datapath("fused")).find("32") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
