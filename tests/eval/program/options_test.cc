#include <chrono>
#include <nlohmann/json.hpp>

#include "eval/cli/command_list.h"
#include "tests/eval/program/files.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(help_lists_every_command_and_each_has_its_own) {
  const Outcome help = run_mxref({"--help"});
  check_good(help);
  for (const CommandRow& row : command_list) {
    BOOST_TEST((help.out.find("\n  " + std::string(row.name) + " ") != std::string::npos));
    BOOST_TEST((help.out.find(row.summary) != std::string::npos));
    if (row.home == Home::models) continue;  // their help is loaded with torch
    const Outcome own = run_mxref({std::string(row.name), "--help"});
    if (own.code == 2 && own.err.find("this build has no RTL") != std::string::npos) continue;
    check_good(own);
    BOOST_TEST((own.out.find("mxref " + std::string(row.name)) != std::string::npos));
  }
}

BOOST_AUTO_TEST_CASE(commands_without_torch_start_in_a_tenth_of_a_second) {
#ifdef __SANITIZE_ADDRESS__
  BOOST_TEST_MESSAGE("skipped: the sanitizers' start is no measure");
  return;
#endif
  double best = 1e9;  // of five: the machine may be busy
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    check_good(run_mxref({"formats"}));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  BOOST_TEST_MESSAGE("mxref formats: " << best << " s");
  BOOST_TEST(best < 0.1);
}

BOOST_AUTO_TEST_CASE(wrong_use_is_2_and_names_the_valid_words) {
  const struct {
    std::vector<std::string> args;
    std::vector<std::string> parts;
  } cases[] = {
      {{"gem"}, {"unknown command 'gem'", "did you mean 'gemm'", "quantize"}},
      {{"--halp"}, {"unknown command '--halp'"}},
      {{"formats", "--fromat", "mxfp4"},
       {"unknown option '--fromat'", "did you mean '--format'", "--datapaths"}},
      {{"formats", "--fromat=mxfp4"}, {"unknown option '--fromat'"}},
      {{"formats", "--format", "mxpf4"}, {"unknown format 'mxpf4'", "did you mean 'mxfp4'"}},
      {{"formats", "--format"}, {"--format"}},
      {{"formats", "--format", "mxfp4", "--format", "mxfp4"}, {"--format"}},
      {{"formats", "x"}, {"unexpected argument 'x'"}},
      {{"quantize", "--in", "a", "--out", "b"}, {"--format is required"}},
      {{"quantize", "--in", "a", "--out", "b", "--fromat", "mxfp4"}, {"did you mean '--format'"}},
      {{"quantize", "--scale-rule", "flor"}, {"did you mean 'floor'"}},
      {{"quantize", "--rounding", "rnee"}, {"did you mean 'rne'"}},
      {{"quantize", "--block", "31"}, {"8, 16, 32, 64, 128"}},
      {{"quantize", "--prescale", "2/4"}, {"lowest terms"}},
      {{"gemm", "--datapath", "fusd"}, {"did you mean 'fused'"}},
      {{"gemm", "--impl", "kernl"}, {"unknown engine 'kernl'", "did you mean 'kernel'", "ref"}},
      {{"gemm", "--out-type", "f23"}, {"f32"}},
      {{"gemm", "--isa", "avx3"}, {"unknown instruction set 'avx3'", "avx2", "portable"}},
      {{"crosscheck", "--impl", "kernel,reff"}, {"did you mean 'ref'"}},
      {{"crosscheck", "--impl", "ref,ref"}, {"--impl ref", "nothing to compare"}},
      {{"crosscheck", "--level", "4"}, {"--level '4'", "from 1 to 3"}},
      {{"vectors", "--as", "mem"}, {"memh", "json", "safetensors"}},
      {{"vectors", "--kind", "randm"}, {"did you mean 'random'"}},
      {{"area"}, {"--format"}},
      {{"area", "--fromat", "mxfp4"}, {"--fromat", "mxref area --help"}},
      {{"area", "--format", "mxfp5"}, {"mxfp5", "mxfp4, mxfp6_e3m2"}},
      {{"assets", "gte"}, {"did you mean 'get'"}},
      {{"assets", "get"}, {"smollm2", "calibration", "olmo-tasks"}},
      {{"assets", "get", "smolm2"}, {"did you mean 'smollm2'"}},
      {{"assets", "list", "smollm2"}, {"unexpected 'smollm2'"}},
  };
  for (const auto& test : cases) check_refused(run_mxref(test.args), 2, test.parts);
  BOOST_TEST(run_mxref({}).code == 2);
}

BOOST_AUTO_TEST_CASE(numbers_are_parsed_whole_and_in_range) {
  for (const char* bad : {"-1", "18446744073709551616", "1x", "", " 1", "1 ", "0x5", "1e3", "+1"})
    check_refused(run_mxref({"crosscheck", "--seed", bad}), 2, {"--seed '" + std::string(bad)});
  for (const char* bad : {"0", "-1", "1.5", "two", "1025", "99999999999999999999"})
    check_refused(run_mxref({"crosscheck", "--threads", bad}), 2, {"--threads"});
  for (const char* bad : {"0", "-1", "9223372036854775808"}) {
    check_refused(run_mxref({"gemm", "--repeat", bad}), 2, {"--repeat"});
    check_refused(run_mxref({"vectors", "--count", bad}), 2, {"--count"});
  }
  const TemporaryFolder folder;
  write_tensor(folder / "x", "x", {3});
  for (const char* good : {"0", "18446744073709551615"})
    check_good(run_mxref({"quantize", "--in", folder / "x", "--format", "mxfp4", "--seed", good,
                          "--out", folder / "q"}));
}

BOOST_AUTO_TEST_CASE(common_options_may_stand_before_the_command) {
  const TemporaryFolder folder;
  check_good(run_mxref({"--json", folder / "r.json", "formats", "--format", "mxfp4"}));
  check_good(run_mxref({"--threads=1", "--isa", "portable", "--json=" + folder / "c.json",
                        "crosscheck", "--impl", "kernel"}));
  const json record = json::parse(read_file(folder / "c.json"));
  BOOST_TEST(record["threads"] == 1);
  BOOST_TEST(record["host"]["isa"] == "portable");
  BOOST_TEST(run_mxref({"--json"}).code == 2);
}

BOOST_AUTO_TEST_CASE(a_record_says_what_ran_and_where) {
  const TemporaryFolder folder;
  check_good(run_mxref({"formats", "--json", folder / "r.json"}));
  const json record = json::parse(read_file(folder / "r.json"));
  BOOST_TEST(record["schema"] == "mxref/1");
  BOOST_TEST(record["command"] == "formats");
  for (const char* field : {"version", "commit", "seed", "threads", "host", "wall_seconds"})
    BOOST_TEST(record.contains(field), field);
  for (const char* field : {"cpu", "isa", "os", "cores"})
    BOOST_TEST(record["host"].contains(field), field);
  const std::string commit = record["commit"];
  BOOST_TEST((commit == "unknown" || commit.size() >= 40));
  const json& fp4 = record["results"][0];
  BOOST_TEST(fp4["format"] == "mxfp4");
  BOOST_TEST(fp4["values"] == (json{0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, -0.0, -0.5, -1.0, -1.5,
                                    -2.0, -3.0, -4.0, -6.0}));
  const json& fp8 = record["results"][3];
  BOOST_TEST(fp8["format"] == "mxfp8_e4m3");
  BOOST_TEST(fp8["values"][0x7E] == 448.0);
  BOOST_TEST(fp8["nan_codes"] == (json{0x7F, 0xFF}));
}

BOOST_AUTO_TEST_CASE(an_output_that_cannot_be_written_is_3) {
  const TemporaryFolder folder;
  check_refused(run_mxref({"formats"}, {.stdout_file = "/dev/full"}), 3, {"No space left"});
  check_refused(run_mxref({"crosscheck", "--json", folder / "absent/r.json"}), 3,
                {"absent/r.json", "cannot be written"});
  check_refused(run_mxref({"crosscheck", "--json", folder.path()}), 3, {"is a directory"});
  const Outcome full = run_mxref({"crosscheck", "--impl", "kernel", "--json", "/dev/full"});
  BOOST_TEST(full.code == 3);
  BOOST_TEST((full.err.find("No space left") != std::string::npos), full.err);
  BOOST_TEST(files_in(folder.path()).empty());
}

BOOST_AUTO_TEST_CASE(an_output_that_is_another_file_of_the_command_is_2) {
  const TemporaryFolder folder;
  const std::string x = write_tensor(folder / "x", "x", {3}), link = folder / "link";
  std::filesystem::create_symlink("x", link);
  const auto quantize = [](const std::string& in, const std::string& out, const std::string& json) {
    return run_mxref({"quantize", "--in", in, "--format", "mxfp4", "--out", out, "--json", json});
  };
  const std::string bytes = read_file(x), y = folder / "y";
  check_refused(quantize(x, y, y), 2, {"--out", "--json", "same file", y});
  check_refused(quantize(x, y, folder / "./y"), 2, {"--out", "--json"});
  check_refused(quantize(x, x, y), 2, {"--out", "--in"});
  check_refused(quantize(x, link, y), 2, {"--out", "--in"});
  check_refused(quantize(link, y, x), 2, {"--json", "--in"});
  BOOST_TEST(files_in(folder.path()).size() == 2u);
  BOOST_TEST(read_file(x) == bytes);
  check_refused(run_mxref({"vectors", "--format", "mxfp4", "--as", "memh", "--out", folder / "v",
                           "--json", folder / "v/vectors.memh"}),
                2, {"--json", "the file of vectors"});
  check_good(quantize(x, "/dev/null", "/dev/null"));  // the control: what is nowhere written
  check_good(quantize(x, y, folder / "r"));
  check_good(quantize(x, y, folder / "r"));  // and what an earlier run wrote
}

BOOST_AUTO_TEST_CASE(a_build_without_torch_says_so) {
  const bool has_torch = run_mxref({"--help"}).out.find("not in this build") == std::string::npos;
  if (has_torch) {
    BOOST_TEST_MESSAGE("skipped: this build has torch");
    return;
  }
  for (const CommandRow& row : command_list)
    if (row.home == Home::models)
      check_refused(run_mxref({std::string(row.name)}), 2, {"this build has no torch"});
}

BOOST_AUTO_TEST_SUITE_END()
