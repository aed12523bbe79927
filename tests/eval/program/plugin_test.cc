// The program on engines of others: gemm, crosscheck and forward by `plugin:FILE.so`.

#include <nlohmann/json.hpp>

#include "tests/eval/program/files.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

namespace {

std::string plugin(const std::string& name) {
  return "plugin:" MXREF_BINARY_DIR "/lib/" + name + ".so";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plugins)

BOOST_AUTO_TEST_CASE(gemm_by_a_plugin_gives_the_bits_of_the_definition) {
  const TemporaryFolder folder;
  const std::string c = write_tensor(folder / "c", "c", {7, 7});
  for (const char* prescale : {"3/4", "1"}) {
    for (const char* name : {"a", "b"}) {
      const std::string x = write_tensor(folder / "x", name, {7, 75}, unsigned(name[0]));
      check_good(run_mxref({"quantize", "--in", x, "--format", "mxfp4", "--prescale", prescale,
                            "--out", folder / name}));
    }
    const auto product = [&](const std::string& engine, const std::string& path) {
      check_good(
          run_mxref({"gemm", "--a", folder / "a", "--b", folder / "b", "--c", c, "--datapath", path,
                     "--impl", engine, "--out", folder / "d", "--json", folder / "r"}));
      const json result = json::parse(read_file(folder / "r"))["results"][0];
      BOOST_TEST(result["implementation"] == engine);
      return read_file(folder / "d");
    };
    BOOST_CHECK(product(plugin("example_engine"), "blockwise") == product("ref", "blockwise"));
    // The control: its deliberate difference, where C is the accumulator's start.
    if (prescale == std::string("1"))
      BOOST_CHECK(product(plugin("example_engine"), "fused") != product("ref", "fused"));
  }
}

BOOST_AUTO_TEST_CASE(crosscheck_finds_the_deliberate_difference_of_the_example) {
  const auto crosscheck = [](const std::string& engine, const std::string& path) {
    return run_mxref({"crosscheck", "--impl", engine, "--format", "mxfp4", "--datapath", path,
                      "--threads", "1"});
  };
  check_good(crosscheck(plugin("example_engine"), "blockwise"));
  const Outcome outcome = crosscheck(plugin("example_engine"), "fused");
  BOOST_TEST(outcome.code == 1);
  for (const char* part : {"expected 0x", "got 0x", "repeat: mxref crosscheck --impl plugin:"})
    BOOST_TEST((outcome.out.find(part) != std::string::npos), outcome.out);
}

BOOST_AUTO_TEST_CASE(what_is_no_plugin_is_refused_by_every_command) {
  const TemporaryFolder folder;
  const std::string x = write_tensor(folder / "x", "x", {2, 32});
  check_good(run_mxref({"quantize", "--in", x, "--format", "mxint8", "--out", folder / "q"}));
  const auto gemm = [&](const std::string& engine) {
    return run_mxref({"gemm", "--a", folder / "q", "--b", folder / "q", "--impl", engine, "--out",
                      folder / "d"});
  };
  check_refused(gemm("plugin:" + folder / "absent.so"), 3, {"absent.so", "cannot be loaded"});
  check_refused(gemm("plugin:" + x), 3, {"/x", "cannot be loaded"});
  check_refused(gemm(plugin("plugin_wrong_version")), 3, {"version 2", "version 1"});
  check_refused(gemm(plugin("plugin_no_multiply")), 3, {"mxref_plugin_multiply"});
  check_refused(gemm(plugin("plugin_multiply_fails")), 3, {"the simulator stopped"});
  check_refused(gemm(plugin("example_engine")), 2, {"mxint8", "takes mxfp4 alone"});
  check_refused(gemm("plugin"), 2, {"unknown engine", "plugin:FILE.so"});
  check_refused(run_mxref({"crosscheck", "--impl", "ref,plugin:" + folder / "absent.so"}), 3,
                {"absent.so"});
  BOOST_TEST(!std::filesystem::exists(folder / "d"));
}

#if MXREF_HAS_TORCH
BOOST_AUTO_TEST_CASE(a_model_on_a_plugin_has_the_logits_of_the_definition) {
  const auto model = shared_data("models/openpangu");
  if (!model) return;
  const TemporaryFolder folder;
  SafetensorsWriter writer;
  const std::vector<int64_t> ids = {1, 2, 3, 4};
  writer.add("input_ids", DType::I64, {1, 4}, ids);
  writer.write(folder / "ids");
  const auto forward = [&](const std::string& recipe, const std::string& engine) {
    return run_mxref({"forward", "--model", model->string(), "--tokens", folder / "ids", "--recipe",
                      recipe, "--set", "implementation=" + engine, "--set", "datapath=blockwise",
                      "--out", folder / "out"});
  };
  check_good(forward("w4a4", "ref"));
  const std::string expected = read_file(folder / "out");
  std::filesystem::remove(folder / "out");
  check_good(forward("w4a4", plugin("example_engine")));
  BOOST_CHECK(read_file(folder / "out") == expected);
  // The controls: what the plugin does not take, and none.
  check_refused(forward("w8a8", plugin("example_engine")), 2, {"takes mxfp4 alone"});
  check_refused(forward("w4a4", "plugin:" + folder / "absent.so"), 3, {"absent.so"});
}
#endif

BOOST_AUTO_TEST_SUITE_END()
