#include <nlohmann/json.hpp>

#include "emu/audit/dump.h"
#include "emu/audit/stimulus.h"
#include "emu/quantize.h"
#include "tests/eval/program/files.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(audit_command)

static bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

static Outcome audit(const TemporaryFolder& folder, std::vector<std::string> args) {
  args.insert(args.begin(), {"audit", "--failure", folder / "least.safetensors"});
  return run_mxref(args);
}

// The exit code of an audit that reads the failure of one before.
static int repeat(const TemporaryFolder& folder, const std::string& source,
                  const std::string& value, const std::vector<std::string>& more = {}) {
  std::vector<std::string> args = {"audit", source, value, "--failure", folder / "again"};
  args.insert(args.end(), more.begin(), more.end());
  return run_mxref(args).code;
}

static const Conversion mxfp4{.format = &block_format("mxfp4")};

// A dump of a product in which the bits of result `wrong` are flipped: -1 for none.
static std::string write_product(const TemporaryFolder& folder, const std::string& name, int wrong,
                                 DType type = DType::F32) {
  const ProductInput input = audit_product(mxfp4, mxfp4, 7, RowEnds::any);
  ProductAnswer answer = define_product(input, datapath("exact"), type);
  if (wrong >= 0) answer.d[size_t(wrong)] ^= 3;
  write_dump(folder / name, input, datapath("exact"), &answer);
  return folder / name;
}

BOOST_AUTO_TEST_CASE(a_builtin_simulator_is_named_and_its_failure_repeats) {
  const TemporaryFolder folder;
  const Outcome outcome = audit(folder, {"--builtin", "ties_away", "--format", "mxfp4", "--count",
                                         "4", "--json", folder / "r"});
  BOOST_TEST(outcome.code == 1, outcome.err);
  BOOST_TEST(says(outcome.out, "explained by ties_away in every result"), outcome.out);
  BOOST_TEST(says(outcome.out, "smallest failing input"), outcome.out);
  const json record = json::parse(read_file(folder / "r"));
  BOOST_TEST(record["passed"] == false);
  const json& result = record["results"][0];
  BOOST_TEST(result["task"] == "audit");
  BOOST_TEST(result["different"] > 0);
  BOOST_TEST(result["classes"]["tie"] == result["different"]);
  BOOST_TEST(result["classes"]["order of summation"] == 0);
  BOOST_TEST(result["explained_by"] == json::array({"ties_away"}));
  BOOST_TEST(result["smallest"]["x"].size() == 1u);
  BOOST_TEST(result["smallest"]["repro"] ==
             "mxref audit --builtin ties_away --in " + (folder / "least.safetensors"));
  // As it is told, and as a dump.
  for (const std::vector<std::string>& again :
       {std::vector<std::string>{"--builtin", "ties_away", "--in", folder / "least.safetensors"},
        {"--dump", folder / "least.safetensors"}}) {
    std::vector<std::string> args = again;
    args.insert(args.begin(), "audit");
    args.insert(args.end(), {"--json", folder / "again", "--failure", folder / "other"});
    BOOST_TEST(run_mxref(args).code == 1);
    const json repeated = json::parse(read_file(folder / "again"))["results"][0];
    BOOST_TEST(repeated["smallest"]["x"] == result["smallest"]["x"]);
    BOOST_TEST(repeated["smallest"]["got"] == result["smallest"]["got"]);
  }
}

BOOST_AUTO_TEST_CASE(nothing_differs_of_the_definition_and_of_an_engine) {
  const TemporaryFolder folder;
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--builtin", "definition"},
        {"--builtin", "definition", "--operation", "conversion"},
        {"--builtin", "faultless"},
        {"--impl", "kernel"}}) {
    std::vector<std::string> all = args;
    all.insert(all.end(), {"--count", "4"});
    const Outcome outcome = audit(folder, all);
    check_good(outcome);
    BOOST_TEST(says(outcome.out, "different 0;"), outcome.out);
  }
  BOOST_TEST(files_in(folder.path()).empty());  // no failure, no file
}

BOOST_AUTO_TEST_CASE(a_dump_of_a_product_is_compared_in_its_type_on_its_datapath) {
  const TemporaryFolder folder;
  for (DType type : {DType::F32, DType::BF16, DType::F16}) {
    check_good(audit(folder, {"--dump", write_product(folder, "right", -1, type)}));
    const std::string dump = write_product(folder, "wrong", 5, type);
    const Outcome outcome = audit(folder, {"--dump", dump, "--json", folder / "r"});
    BOOST_TEST(outcome.code == 1);
    const json result = json::parse(read_file(folder / "r"))["results"][0];
    BOOST_TEST(result["datapath"] == "exact");
    BOOST_TEST(result["different"] == 1);
    // Alone it fails too.
    BOOST_TEST(repeat(folder, "--dump", folder / "least.safetensors") == 1);
  }
  // Another datapath differs in more.
  const Outcome outcome =
      audit(folder, {"--dump", write_product(folder, "right", -1), "--datapath", "sequential"});
  BOOST_TEST(outcome.code == 1);
  BOOST_TEST(says(outcome.out, "explained by datapath exact in every result"), outcome.out);
}

BOOST_AUTO_TEST_CASE(each_of_several_formats_has_its_failure) {
  const TemporaryFolder folder;
  const Outcome outcome = audit(folder, {"--builtin", "fake_quant", "--count", "3"});
  BOOST_TEST(outcome.code == 1, outcome.err);
  for (const BlockFormat& format : block_formats) {
    const std::string file = folder / ("least." + std::string(format.name) + ".safetensors");
    BOOST_TEST(says(outcome.out, "--in " + file + "\n"), format.name);
    const Outcome again = run_mxref(
        {"audit", "--builtin", "fake_quant", "--in", file, "--failure", folder / "again"});
    BOOST_TEST(again.code == 1);
    BOOST_TEST(says(again.out, std::string(format.name) + " × "), again.out);
  }
  check_refused(audit(folder, {"--builtin", "fake_quant", "--scale-rule", "ceil"}), 2,
                {"--scale-rule", "this audits a product"});
}

BOOST_AUTO_TEST_CASE(metadata_that_a_dump_lacks_is_given_by_options) {
  const TemporaryFolder folder;
  const ConversionInput input = audit_conversion(mxfp4, 1, RowEnds::any);
  const MxTensor q = quantize_ref(input.x, input.shape, mxfp4);
  SafetensorsWriter writer;
  std::vector<int64_t> scales_shape = q.shape;
  scales_shape.back() = q.blocks_per_row();
  writer.add("x", DType::F32, q.shape, input.x);
  writer.add("x.codes", DType::U8, q.shape, q.codes);
  writer.add("x.scales", DType::U8, scales_shape, q.scales);
  writer.write(folder / "bare");
  check_refused(audit(folder, {"--dump", folder / "bare"}), 3, {"bare", "mxref.x.format"});
  check_good(audit(folder, {"--dump", folder / "bare", "--format", "mxfp4"}));
  const Outcome other =
      audit(folder, {"--dump", folder / "bare", "--format", "mxfp4", "--scale-rule", "ceil"});
  BOOST_TEST(other.code == 1);
  BOOST_TEST(says(other.out, "explained by rule floor in every result"), other.out);
}

BOOST_AUTO_TEST_CASE(a_live_command_is_asked_and_its_failure_shrinks) {
  const TemporaryFolder folder;
  const std::string command =
      "python3 '" MXREF_SOURCE_DIR "/tests/eval/program/simulator.py' {in} {out}";
  const std::vector<std::string> args = {"--command", command,  "--format", "mxfp4",  "--count",
                                         "2",         "--seed", "2",        "--json", folder / "r"};
  const Outcome outcome = audit(folder, args);
  BOOST_TEST(outcome.code == 1, outcome.err);
  const json result = json::parse(read_file(folder / "r"))["results"][0];
  BOOST_TEST(result["hypotheses"][0]["hypothesis"] == "fake_quant");
  BOOST_TEST(result["explained_by"][0] == "fake_quant");
  BOOST_TEST(result["smallest"]["a"]["codes"].size() <= 2u);
  // The command that is told, its quotes included.
  const std::string told = result["smallest"]["repro"];
  BOOST_TEST(told.starts_with("mxref audit --command 'python3 '\\''"), told);
  BOOST_TEST(repeat(folder, "--command", command, {"--in", folder / "least.safetensors"}) == 1);
}

// Wrong in its first two runs alone: what it said first is shown, not what it would say now.
BOOST_AUTO_TEST_CASE(a_simulator_that_does_not_repeat_its_failure_is_told_of) {
  const TemporaryFolder folder;
  const ProductInput one{quantize_ref(std::vector<float>{1}, {1, 1}, mxfp4),
                         quantize_ref(std::vector<float>{1}, {1, 1}, mxfp4),
                         {}};
  write_dump(folder / "one", one, datapath("fused"), nullptr);
  folder.write("flaky.py",
               "import os, subprocess, sys\n"
               "subprocess.check_call([sys.executable, sys.argv[1], sys.argv[3], sys.argv[4]])\n"
               "with open(sys.argv[2], 'a') as runs: runs.write('x')\n"
               "if os.path.getsize(sys.argv[2]) > 2: sys.exit()\n"
               "with open(sys.argv[4], 'r+b') as out:\n"
               "    out.seek(-1, os.SEEK_END); last = out.read(1)[0]\n"
               "    out.seek(-1, os.SEEK_END); out.write(bytes([last ^ 1]))\n");
  const std::string command = "python3 " + (folder / "flaky.py") +
                              " " MXREF_SOURCE_DIR "/tests/eval/program/simulator.py " +
                              (folder / "runs") + " {in} {out}";
  const Outcome outcome =
      audit(folder, {"--command", command, "--in", folder / "one", "--json", folder / "r"});
  BOOST_TEST(outcome.code == 1, outcome.err);
  const json result = json::parse(read_file(folder / "r"))["results"][0];
  BOOST_TEST(result["different"] == 1);
  BOOST_TEST(result["smallest"]["expected"] == "0x3f800000 (1)");
  BOOST_TEST(result["smallest"]["got"] == "0x3e800000 (0.25)");
}

BOOST_AUTO_TEST_CASE(a_command_that_fails_is_an_error) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& command, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--command", command, "--format", "mxfp4", "--count", "1"});
    return audit(folder, more);
  };
  check_refused(run("sh -c 'echo no licence; exit 7' {in} {out}"), 3,
                {"ended with 7", "no licence", "seed 1"});
  check_refused(run("true {in} {out}"), 3, {"wrote no {out}", "said nothing"});
  check_refused(run("/absent/simulator {in} {out}"), 3, {"/absent/simulator"});
  check_refused(run("sh -c 'sleep 60' {in} {out}", {"--timeout", "1"}), 3, {"longer than 1 s"});
  check_refused(run("cp {in} {out}"), 3, {"out.safetensors", "'d'"});
  check_refused(run("cp " + write_product(folder, "p", -1) + " {out} # {in}"), 3, {});
  check_refused(run("sh -c 'cat " + write_product(folder, "p", -1) + " >$1' {in} {out}"), 3,
                {"'d' has shape", "expected (32, 32)"});
  check_refused(run("cp {in} {out}", {"--operation", "conversion"}), 3, {"x.codes"});
  check_refused(run("cp {in}"), 2, {"{out}"});
  BOOST_TEST(!std::filesystem::exists(folder / "least.safetensors"));
}

BOOST_AUTO_TEST_CASE(wrong_use_and_bad_dumps_are_refused) {
  const TemporaryFolder folder;
  check_refused(audit(folder, {}), 2, {"--dump", "--command", "--builtin", "--impl"});
  check_refused(audit(folder, {"--builtin", "ties_away", "--impl", "ref"}), 2, {"got 2"});
  check_refused(audit(folder, {"--builtin", "tie_away"}), 2, {"did you mean 'ties_away'"});
  check_refused(audit(folder, {"--command", "x {in} {out}"}), 2, {"--format"});
  check_refused(audit(folder, {"--builtin", "scale_product", "--datapath", "exact"}), 2,
                {"fused or blockwise"});
  check_refused(audit(folder, {"--builtin", "ties_away", "--rounding", "rtz"}), 2, {"rne"});
  check_refused(audit(folder, {"--dump", folder / "absent"}), 3, {"absent"});
  const auto check = [&](const std::function<void(SafetensorsWriter&)>& fill,
                         const std::vector<std::string>& parts) {
    SafetensorsWriter writer;
    fill(writer);
    writer.write(folder / "dump");
    check_refused(audit(folder, {"--dump", folder / "dump", "--format", "mxfp4"}), 3, parts);
  };
  const std::vector<float> four{1, 2, 3, 4};
  const std::vector<uint8_t> codes{1, 2, 3, 4}, scale{127};
  check([&](auto& w) { w.add("y", DType::F32, {4}, four); }, {"a.codes", "'x'"});
  const auto add = [&](SafetensorsWriter& w, const std::string& name, std::vector<int64_t> shape) {
    w.add(name + ".codes", DType::U8, shape, codes);
    shape.back() = 1;
    w.add(name + ".scales", DType::U8, shape, scale);
  };
  check(
      [&](auto& w) {
        w.add("x", DType::F32, {1, 4}, four);
        add(w, "x", {4});
      },
      {"'x'", "(1, 4)"});
  check([&](auto& w) { w.add("x", DType::I32, {4}, four); }, {"I32", "expected F32"});
  const auto product = [&](SafetensorsWriter& w) {
    add(w, "a", {1, 4});
    add(w, "b", {1, 4});
  };
  check(product, {"'d'"});
  check(
      [&](auto& w) {
        product(w);
        w.add("d", DType::F32, {2, 2}, four);
      },
      {"'d' has shape (2, 2)", "(1, 1)"});
  check(
      [&](auto& w) {
        product(w);
        w.add("e", DType::F32, {2, 2}, four);
      },
      {"'e'", "a, b, c, d"});
  check(
      [&](auto& w) {
        product(w);
        w.set_metadata("mxref.datapath", "fussed");
      },
      {"mxref.datapath", "did you mean 'fused'"});
}

BOOST_AUTO_TEST_SUITE_END()
