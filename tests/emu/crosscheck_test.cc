#include "emu/crosscheck/crosscheck.h"

#include <boost/test/unit_test.hpp>

#include "emu/crosscheck/controls.h"
#include "emu/crosscheck/random_product.h"
#include "emu/quantize.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(crosschecking)

static EngineTable reference_alone() { return {{"ref", make_ref_engine}}; }

BOOST_AUTO_TEST_CASE(the_definition_agrees_with_itself_and_every_control_is_caught) {
  const CrosscheckReport report = crosscheck(reference_alone(), {});
  const size_t pairs = block_formats.size() * block_formats.size() * datapaths.size();
  BOOST_TEST(report.rows.size() == pairs);
  for (const CrosscheckRow& row : report.rows) {
    BOOST_TEST(row.compared > 30000);
    BOOST_TEST(row.mismatches == 0);
  }
  BOOST_TEST(report.controls.size() == 3u);
  for (const CrosscheckControl& control : report.controls) BOOST_TEST(control.caught, control.name);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(a_faulty_engine_fails_and_is_described_so_that_it_can_be_repeated) {
  CrosscheckOptions options{.seed = 40};
  options.formats = {&block_format("mxfp8_e4m3")};
  const CrosscheckReport report = crosscheck(control_engines(), options);
  BOOST_TEST(!report.passed());
  BOOST_TEST(report.failures.size() == report.rows.size());
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.mismatches > 0, row.implementation);
  for (const char* part :
       {"planted_fault: mxfp8_e4m3 × mxfp8_e4m3 on fused", "seed 40", "index (31, 31)",
        "expected 0x", "got 0x", "a mxfp8_e4m3 pre-scale 1 scales ",
        "repeat: mxref crosscheck --impl planted_fault --format mxfp8_e4m3 --format-b mxfp8_e4m3 "
        "--datapath fused --seed 40"})
    BOOST_TEST(report.failures[0].find(part) != std::string::npos,
               part << " not in: " << report.failures[0]);
}

BOOST_AUTO_TEST_CASE(given_operands_are_compared_too) {
  std::vector<float> x(3 * 50, 0.5f), w(2 * 50, -1.25f);
  GivenProduct given{"layer",
                     quantize(x, {3, 50}, {.format = &block_format("mxfp4")}),
                     quantize(w, {2, 50}, {.format = &block_format("mxfp8_e4m3")}),
                     {}};
  const CrosscheckReport report =
      crosscheck(reference_alone(), {.formats = {&block_format("mxfp4")}, .given = {given}});
  BOOST_TEST(report.rows.size() == 2u);
  BOOST_TEST(report.rows[1].source == "layer");
  BOOST_TEST(report.rows[1].format_b == "mxfp8_e4m3");
  BOOST_TEST(report.rows[1].compared == 6);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_refused) {
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.implementations = {"rfe"}}), UsageError);
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.level = 0}), UsageError);
  BOOST_CHECK_THROW(crosscheck(reference_alone(), {.level = 4}), UsageError);
}

BOOST_AUTO_TEST_CASE(a_product_is_decided_by_its_seed) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto make = [&] { return random_product(block_formats[0], block_formats[1], seed); };
    BOOST_CHECK(make().a.codes == make().a.codes);
    BOOST_CHECK(make().b.scales == make().b.scales);
    BOOST_TEST(make().c.size() == make().c.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()
