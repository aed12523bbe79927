// A Verilated design behind the plugins' C ABI, beside the program's own Verilated arrays.

#include <boost/test/unit_test.hpp>

#include "emu/array_port.h"
#include "emu/crosscheck/crosscheck.h"
#include "rtl_models/engine/rtl_engine.h"

using namespace mxref;

BOOST_AUTO_TEST_SUITE(verilated_plugin)

static const std::string plugin = "plugin:" MXREF_BINARY_DIR "/lib/verilated_engine.so";

BOOST_AUTO_TEST_CASE(gives_the_bits_of_the_definition_beside_the_engine_rtl) {
  const CrosscheckReport report = crosscheck(
      {{"rtl", make_rtl_engine}}, {.formats = {&block_format("mxfp4"), &block_format("mxfp8_e4m3")},
                                   .datapaths = {&datapath("fused")},
                                   .implementations = {"rtl", plugin},
                                   .level = 2});
  BOOST_TEST(report.rows.size() == 2u * 4u);
  for (const CrosscheckRow& row : report.rows) BOOST_TEST(row.compared > 30000);
  for (const std::string& failure : report.failures) BOOST_ERROR(failure);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(refuses_what_the_array_does_not_have) {
  const auto engine = make_engine({}, plugin);
  const BlockFormat &mxfp4 = block_format("mxfp4"), &mxint8 = block_format("mxint8");
  const auto refuses = [&](const BlockFormat& b, int block, const char* path, const char* part) {
    return engine->refuses(mxfp4, b, block, datapath(path)).find(part) != std::string::npos;
  };
  BOOST_TEST(engine->refuses(mxfp4, mxfp4, 32, datapath("fused")) == "");
  BOOST_TEST(refuses(mxfp4, 16, "fused", "32"));
  BOOST_TEST(refuses(mxfp4, 32, "blockwise", "fused"));
  BOOST_TEST(refuses(mxint8, 32, "fused", "mxfp8_e4m3"));
}

BOOST_AUTO_TEST_SUITE_END()
