#include <nlohmann/json.hpp>

#include "emu/vectors/vectors.h"
#include "tests/eval/program/files.h"
#include "tests/vector_reader.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(checks)

BOOST_AUTO_TEST_CASE(vectors_are_written_in_every_form_and_again_the_same) {
  const TemporaryFolder folder;
  for (const VectorForm& form : vector_forms) {
    const std::vector<std::string> args = {
        "vectors", "--format", "mxfp4", "--format-b", "mxfp8_e4m3",          "--count",
        "50",      "--seed",   "9",     "--as",       std::string(form.name)};
    std::vector<std::string> bytes;
    for (const char* name : {"first", "second"}) {
      std::vector<std::string> all = args;
      all.insert(all.end(), {"--out", folder / name});
      check_good(run_mxref(all));
      const auto path = std::filesystem::path(folder / name) / form.file;
      bytes.push_back(read_file(path));
      BOOST_TEST((read_vectors(form.name, path) == random_vectors(block_format("mxfp4"),
                                                                  block_format("mxfp8_e4m3"),
                                                                  datapath("fused"), 50, 9)));
    }
    BOOST_TEST(bytes[0] == bytes[1]);
  }
}

BOOST_AUTO_TEST_CASE(directed_vectors_tell_what_they_reach) {
  const TemporaryFolder folder;
  const auto outcome =
      run_mxref({"vectors", "--format", "mxfp8_e5m2", "--kind", "directed", "--datapath",
                 "blockwise", "--out", folder / "v", "--json", folder / "r"});
  check_good(outcome);
  const json row = json::parse(read_file(folder / "r"))["results"][0];
  const auto reached = row["corner_cases_reached"].get<size_t>();
  BOOST_TEST(reached == row["corner_cases"].size());
  BOOST_TEST(reached > 50);
  BOOST_TEST(row["corner_cases"]["Inf - Inf in the block is NaN"] > 0);
  const std::string all = std::to_string(reached);
  BOOST_TEST(outcome.out.find("reaches " + all + " of the " + all + " corner cases") !=
             std::string::npos);
  // A set that lacks cases names them.
  const auto few = run_mxref(
      {"vectors", "--format", "mxfp8_e5m2", "--count", "2", "--coverage", "--out", folder / "v"});
  check_good(few);
  BOOST_TEST(few.out.find("  not reached: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(vectors_of_a_unit_have_its_name_and_refuse_what_it_does_not_have) {
  const TemporaryFolder folder;
  const auto vectors = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"vectors", "--format", "mxfp4", "--out", folder / "v"});
    return run_mxref(args);
  };
  check_good(vectors({"--unit", "multiply", "--as", "json"}));
  BOOST_TEST(read_file(folder / "v/multiply.jsonl").find("{\"code_a\":7,\"code_b\":15,") !=
             std::string::npos);
  check_good(vectors({"--unit", "quantize", "--rounding", "stochastic", "--prescale", "3/4",
                      "--seed", "7", "--as", "safetensors"}));
  BOOST_TEST(std::filesystem::exists(folder / "v/quantize.safetensors"));
  check_refused(vectors({"--unit", "multipyl"}), 2, {"did you mean 'multiply'"});
  check_refused(vectors({"--unit", "decode", "--kind", "random"}), 2, {"--kind exhaustive"});
  check_refused(vectors({"--unit", "decode", "--format-b", "mxfp4"}), 2, {"one format"});
  check_refused(vectors({"--unit", "multiply", "--coverage"}), 2, {"--coverage"});
  check_refused(vectors({"--unit", "accumulate", "--datapath", "exact"}), 2, {"'exact' does not"});
  check_refused(vectors({"--rounding", "rna"}), 2, {"--unit quantize"});
  check_refused(vectors({"--unit", "multiply", "--prescale", "3/4"}), 2, {"--unit quantize"});
  check_refused(vectors({"--unit", "quantize", "--prescale", "2/4"}), 2, {"2/4"});
}

BOOST_AUTO_TEST_CASE(units_of_the_rest_know_no_formats) {
  const TemporaryFolder folder;
  const auto vectors = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"vectors", "--out", folder / "v"});
    return run_mxref(args);
  };
  for (const std::string unit : {"rms_norm", "softmax", "gated_silu", "rotary"}) {
    for (const VectorForm& form : vector_forms)
      for (const char* kind : {"directed", "random"}) {
        const std::string name = unit + std::filesystem::path(form.file).extension().string();
        const Outcome outcome = vectors({"--unit", unit, "--kind", kind, "--count", "20", "--as",
                                         std::string(form.name), "--json", folder / "r"});
        check_good(outcome);
        BOOST_TEST(outcome.out == folder / "v/" + name + ": 20 vectors of the unit " + unit + "\n");
        const auto v = read_unit_vectors(form.name, folder / "v/" + name);
        BOOST_TEST(v.count == 20u);
        BOOST_TEST(v.header.at("unit") == unit);
        BOOST_TEST(v.header.at("kind") == kind);
        BOOST_TEST(!v.header.contains("format"));
        const json row = json::parse(read_file(folder / "r"))["results"][0];
        BOOST_TEST(row["rest"] == "strict");
        BOOST_TEST(row["count"] == 20);
      }
    const std::vector<std::pair<std::vector<std::string>, std::string>> refused{
        {{"--format", "mxfp4"}, "--format is"},
        {{"--format-b", "mxfp4"}, "--format-b is"},
        {{"--datapath", "fused"}, "--datapath is"},
        {{"--scale-rule", "ceil"}, "--scale-rule"},
        {{"--rounding", "rna"}, "--rounding"},
        {{"--prescale", "3/4"}, "--prescale"},
        {{"--coverage"}, "--coverage"},
        {{"--kind", "exhaustive"}, "not exhaustive"},
        {{"--kind", "model"}, "--model MODEL"},
        {{"--model", "smollm2"}, "--kind model"},
        {{"--tokens", folder / "r"}, "--tokens"},
    };
    for (std::pair<std::vector<std::string>, std::string> test : refused) {
      test.first.insert(test.first.end(), {"--unit", unit});
      check_refused(vectors(test.first), 2, {test.second});
    }
  }
  // What has formats wants one.
  check_refused(vectors({}), 2, {"--format is required"});
  check_refused(vectors({"--unit", "decode"}), 2, {"--format is required"});
  check_refused(vectors({"--unit", "decode", "--format", "mxfp4", "--datapath", "exact"}), 2,
                {"--datapath is that of whole blocks"});
}

BOOST_AUTO_TEST_CASE(vectors_make_the_folder_but_not_its_parents) {
  const TemporaryFolder folder;
  const std::vector<std::string> args = {"vectors", "--format", "mxfp4", "--count", "1", "--out"};
  const auto to = [&](const std::string& out) {
    std::vector<std::string> all = args;
    all.push_back(out);
    return run_mxref(all);
  };
  check_refused(to(folder / "absent/v"), 3, {"absent/v"});
  write_atomically(folder / "file", "x");
  check_refused(to(folder / "file"), 3, {"file"});
  check_good(to(folder / "v"));
  check_good(to(folder / "v"));
  // Made in vain, it goes again; one that was there stays.
  std::filesystem::create_directory(folder / "empty");
  for (const char* name : {"w", "empty"})
    check_refused(run_mxref({"vectors", "--kind", "model", "--model", "absent.gguf", "--format",
                             "mxfp4", "--out", folder / name}),
                  MXREF_HAS_TORCH ? 3 : 2, {});
  BOOST_TEST(!std::filesystem::exists(folder / "w"));
  BOOST_TEST(std::filesystem::exists(folder / "empty"));
}

BOOST_AUTO_TEST_CASE(crosscheck_prints_and_records_every_engine_and_control) {
  const TemporaryFolder folder;
  const Outcome outcome = run_mxref({"crosscheck", "--impl", "kernel,ref", "--format", "mxfp4",
                                     "--datapath", "fused", "--json", folder / "r"});
  check_good(outcome);
  const json record = json::parse(read_file(folder / "r"));
  int engines = 0, controls = 0;
  for (const json& result : record["results"]) {
    if (result["task"] == "control") {
      ++controls;
      BOOST_TEST(result["caught"] == true);
      continue;
    }
    ++engines;
    BOOST_TEST(result["compared"] > 0);
    BOOST_TEST(result["mismatches"] == 0);
    BOOST_TEST(
        (outcome.out.find(result["implementation"].get<std::string>()) != std::string::npos));
  }
  BOOST_TEST(engines == 2);
  BOOST_TEST(outcome.out.find("the definition (ref)") != std::string::npos, outcome.out);
  BOOST_TEST(outcome.out.find("\nkernel ") != std::string::npos, outcome.out);
  BOOST_TEST(outcome.out.find("\nref ") == std::string::npos, outcome.out);  // against itself
  BOOST_TEST(controls >= 3);
}

BOOST_AUTO_TEST_CASE(crosscheck_says_why_an_engine_refuses_products) {
  const TemporaryFolder folder;
  const Outcome outcome = run_mxref({"crosscheck", "--impl", "kernel,systemc", "--format", "mxfp4",
                                     "--datapath", "fused", "--json", folder / "r"});
  if (outcome.code == 2 && outcome.err.find("unknown engine") != std::string::npos) {
    BOOST_TEST_MESSAGE("skipped: this build has no engine that refuses anything");
    return;
  }
  check_good(outcome);
  const json results = json::parse(read_file(folder / "r"))["results"];
  BOOST_TEST(!results[0].contains("refused"));  // the kernel takes all
  const json& systemc = results[1];
  BOOST_TEST(systemc["products_refused"] > 0);
  BOOST_TEST(systemc["products_refused"] < systemc["products"]);
  const std::string reason = systemc["refused"];
  BOOST_TEST(reason.starts_with("the array has blocks of 32 alone"));
  BOOST_TEST((outcome.out.find(reason) != std::string::npos), outcome.out);
}

BOOST_AUTO_TEST_CASE(planted_faults_are_summed_up) {
  if (!MXREF_HAS_RTL) return;
  const TemporaryFolder folder;
  const Outcome caught = run_mxref({"cosim", "--faults", "sum_last_lane"});
  check_good(caught);
  BOOST_TEST(caught.out.ends_with("\n1 of 1 faults caught\n"), caught.out);
  // The control: a run too short for this one to show.
  const Outcome missed = run_mxref({"cosim", "--faults", "sum_all_cancelled", "--blocks", "1"});
  BOOST_TEST(missed.code == 1);
  BOOST_TEST(missed.out.ends_with("\n0 of 1 faults caught\n"), missed.out);
  check_refused(run_mxref({"cosim", "--faults", "--coverage", folder / "c"}), 2,
                {"--coverage", "--faults"});
  check_refused(run_mxref({"cosim", "--faults", "tie_awa"}), 2, {"did you mean 'tie_away'"});
}

BOOST_AUTO_TEST_CASE(what_a_lock_step_run_leaves_out_is_told) {
  if (!MXREF_HAS_RTL) return;
  check_refused(run_mxref({"cosim", "--unit", "arary"}), 2, {"did you mean 'array'"});
  const Outcome outcome =
      run_mxref({"cosim", "--faults", "sum_last_lane", "--format", "mxfp4", "--blocks", "10000"});
  check_good(outcome);
  for (const char* line :
       {"scaling, accelerator: left out, for they have all formats whatever --format says\n",
        "quantizer, dequantizer: builds without the format are left out\n"})
    BOOST_TEST((outcome.out.find(line) != std::string::npos), outcome.out);
}

BOOST_AUTO_TEST_SUITE_END()
