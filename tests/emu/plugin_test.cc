// Engines of others: the C example gives every bit of the datapath that it has, its deliberate
// difference is found, and a library that is no engine is refused with the reason.

#include "emu/capi/plugin_engine.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "emu/crosscheck/crosscheck.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "tests/temporary_folder.h"

using namespace mxref;

namespace {

std::string plugin(const std::string& name) {
  return "plugin:" MXREF_BINARY_DIR "/lib/" + name + ".so";
}

CrosscheckReport crosscheck_example(std::string_view path) {
  return crosscheck({}, {.formats = {&block_format("mxfp4")},
                         .datapaths = {&datapath(path)},
                         .implementations = {plugin("example_engine")}});
}

MxTensor ones(const char* format, int64_t rows, int64_t cols, int block = 32) {
  const std::vector<float> x(size_t(rows * cols), 1);
  return quantize_ref(x, {rows, cols}, {.format = &block_format(format), .block = block});
}

// What `work` throws as an InputError.
template <typename Work>
std::string refusal_of(const Work& work) {
  try {
    work();
  } catch (const InputError& e) {
    return e.what();
  }
  return "nothing was thrown";
}

void check_says(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    BOOST_TEST((message.find(part) != std::string::npos),
               "should say '" << part << "', says: " << message);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plugins)

BOOST_AUTO_TEST_CASE(the_example_gives_the_bits_of_the_datapath_that_it_has) {
  const CrosscheckReport report = crosscheck_example("blockwise");
  for (const std::string& failure : report.failures) BOOST_ERROR(failure);
  BOOST_TEST(report.rows.at(0).compared > 2000);
  BOOST_TEST(report.rows.at(0).refused == 0);
  BOOST_TEST(report.passed());
}

BOOST_AUTO_TEST_CASE(the_deliberate_difference_of_the_example_is_found_and_can_be_repeated) {
  const CrosscheckReport report = crosscheck_example("fused");
  BOOST_TEST(!report.passed());
  BOOST_TEST(report.rows.at(0).mismatches > 100);
  check_says(report.failures.at(0), {"expected 0x", "got 0x", "--impl plugin:", "--seed"});
}

BOOST_AUTO_TEST_CASE(what_a_file_has_of_a_plugin_that_was_built_anew_is_refused) {
  const TemporaryFolder folder;
  const std::string copy = folder / "engine.so";
  std::filesystem::copy_file(plugin("example_engine").substr(plugin_prefix.size()), copy);
  const CrosscheckOptions options{.formats = {&block_format("mxfp4")},
                                  .datapaths = {&datapath("blockwise")},
                                  .implementations = {"plugin:" + copy},
                                  .resume = folder / "state.json"};
  BOOST_TEST(crosscheck({}, options).passed());
  BOOST_TEST(crosscheck({}, options).passed());  // from the file
  std::ofstream(copy, std::ios::app) << "another";
  check_says(refusal_of([&] { crosscheck({}, options); }), {"state.json: of another run"});
}

BOOST_AUTO_TEST_CASE(the_example_refuses_what_it_does_not_compute_in_its_own_name) {
  const auto engine = make_engine({}, plugin("example_engine"));
  BOOST_TEST(engine->name() == plugin("example_engine"));
  const BlockFormat &mxfp4 = block_format("mxfp4"), &mxint8 = block_format("mxint8");
  BOOST_TEST(engine->refuses(mxfp4, mxfp4, 16, datapath("fused")) == "");
  BOOST_TEST(engine->refuses(mxfp4, mxint8, 32, datapath("fused")) ==
             "mxfp4 unit in C: takes mxfp4 alone");
  const Datapath& described = datapath(R"({"kind":"blockwise","ftz":true})");
  check_says(engine->refuses(mxfp4, mxfp4, 32, described), {"blockwise and fused alone"});
}

BOOST_AUTO_TEST_CASE(operands_that_do_not_fit_never_reach_the_plugin) {
  const auto engine = make_engine({}, plugin("example_engine"));
  const auto b = engine->prepare(ones("mxfp4", 2, 64), datapath("blockwise"));
  std::vector<float> d(2);
  BOOST_CHECK_THROW(engine->multiply(ones("mxfp4", 1, 32), *b, {}, d), UsageError);
  BOOST_CHECK_THROW(engine->multiply(ones("mxfp4", 1, 64, 16), *b, {}, d), UsageError);
  engine->multiply(ones("mxfp4", 1, 64), *b, {}, d);
  BOOST_TEST(d == std::vector<float>({64, 64}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_no_plugin_is_refused_with_file_and_reason) {
  const auto load = [](const std::string& name) {
    return refusal_of([&] { make_engine({}, plugin(name)); });
  };
  check_says(load("absent"), {"lib/absent.so", "cannot be loaded"});
  check_says(load("libmxref_emu"), {"libmxref_emu.so", "is no engine plugin"});
  check_says(load("plugin_wrong_version"),
             {"plugin_wrong_version.so", "was built for version 2", "has version 1"});
  check_says(load("plugin_no_multiply"),
             {"plugin_no_multiply.so", "no function mxref_plugin_multiply"});
  BOOST_CHECK_THROW(engine_entry({}, "plugin:"), UsageError);
  BOOST_CHECK_THROW(engine_entry({}, "plug"), UsageError);
}

BOOST_AUTO_TEST_CASE(what_a_plugin_fails_in_is_told_in_its_words) {
  const MxTensor x = ones("mxfp4", 1, 32);
  const Datapath& fused = datapath("fused");
  std::vector<float> d(1);
  check_says(
      refusal_of([&] { make_engine({}, plugin("plugin_prepare_fails"))->prepare(x, fused); }),
      {"plugin_prepare_fails.so", "no room for weights"});
  const auto stops = make_engine({}, plugin("plugin_multiply_fails"));
  check_says(refusal_of([&] { stops->multiply(x, *stops->prepare(x, fused), {}, d); }),
             {"plugin_multiply_fails.so", "the simulator stopped"});
  const auto silent = make_engine({}, plugin("plugin_no_reasons"));
  check_says(refusal_of([&] { silent->prepare(x, fused); }), {"it gives no reason"});
  check_says(silent->refuses(x.format(), x.format(), 32, fused), {"it gives no reason"});
}

// Engines of one library share its state.
BOOST_AUTO_TEST_CASE(a_plugin_is_called_by_one_thread_at_a_time) {
  const MxTensor x = ones("mxfp4", 1, 32);
  const auto calls = [&] {
    const auto engine = make_engine({}, plugin("plugin_one_caller"));
    const auto prepared = engine->prepare(x, datapath("fused"));
    std::vector<float> d(1);
    for (int i = 0; i < 200; ++i) engine->multiply(x, *prepared, {}, d);
  };
  std::string said[2];
  std::thread other([&] { said[0] = refusal_of(calls); });
  said[1] = refusal_of(calls);
  other.join();
  for (const std::string& text : said) BOOST_TEST(text == "nothing was thrown");
}

BOOST_AUTO_TEST_SUITE_END()
