// Parts that are scripts: they build the tree anew. They print "N results compared" for what they
// compared, and end with another status than 0 where something is not as it should be.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

const std::string source = MXREF_SOURCE_DIR, build = MXREF_BINARY_DIR;

// script: a Python program of the tree, whose folder names it.
SliceResult run_script(const std::string& script, const std::vector<std::string>& words) {
  const std::filesystem::path path = source + "/" + script;
  const std::filesystem::path said =
      build + "/tests/long/said-" + path.parent_path().filename().string();
  std::vector<std::string> all{MXREF_PYTHON, path};
  all.insert(all.end(), words.begin(), words.end());
  const int status = run_program(all, said);
  const std::string text = read_file(said);
  fmt::print("{}", text);
  static const std::regex compared("([0-9]+) results compared");
  SliceResult result{0, status != 0, status != 0 ? text : ""};
  for (std::sregex_iterator found(text.begin(), text.end(), compared), end; found != end; ++found)
    result.compared += std::stoll((*found)[1]);
  return result;
}

SliceResult rows(const std::string& word) {
  return run_script("tests/rows/rows.py", {source, build + "/tests/rows/scratch", build, word});
}
SliceResult compilers(const std::string& word) {
  return run_script("tests/compilers/compilers.py",
                    {source, build + "/tests/compilers/builds", build + "/bin/mxref", word});
}

SliceResult proofs(const std::vector<std::string>& words) {
  return run_script("rtl_models/proofs/prove.py", words);
}

SliceResult costs(const std::vector<std::string>& more) {
  std::vector<std::string> words{"designs", "--mxref", build + "/bin/mxref"};
  words.insert(words.end(), more.begin(), more.end());
  return run_script("rtl_models/synth/area_table.py", words);
}

}  // namespace

Part rows_part() {
  return {"rows",
          "the rows that README.md adds to a copy of the tree, and every test of emu on it",
          1,
          [](int64_t) { return rows("--all"); },
          [] { return rows("--control").mismatches == 0; },
          false};
}

Part compilers_part() {
  return {"compilers",
          "digests of results by g++ and clang++, each at -O0 and -O3; a model's logits by each",
          1,
          [](int64_t) { return compilers("--compare"); },
          [] { return compilers("--control").mismatches == 0; },
          false};
}

Part proofs_part() {
  static constexpr int64_t slices = 16;
  return {"proofs",
          "every proof of the RTL's arithmetic, the slow ones too, each with its control",
          slices,
          [](int64_t slice) {
            return proofs({"--long", "--slice", fmt::format("{}/{}", slice, slices)});
          },
          [] {
            const SliceResult planted = proofs({"--planted", "decode"});
            return planted.mismatches == 0 && planted.compared > 0;
          },
          false};
}

Part mutants_part() {
  return {
      "mutants",
      "mutants of every module by yosys, more than a thousand, each in the bench of its unit",
      1,
      [](int64_t) {
        return run_script("tests/mutants/mutants.py", {source, build});
      },
      [] {
        return run_script("tests/mutants/mutants.py", {source, build, "--control"}).mismatches == 0;
      },
      false};
}

Part costs_part() {
  return {"costs",
          "every row of the table of costs: whether its figures are of the RTL as it stands",
          1,
          [](int64_t) { return costs({}); },
          [] {
            const std::string row = "part e8m0_scale",
                              changed = build + "/tests/long/other_rtl.json";
            auto table = nlohmann::json::parse(read_file(source + "/rtl_models/synth/area.json"));
            table["rows"][row]["design_sha256"] = std::string(64, '0');
            write_atomically(changed, table.dump());
            const SliceResult planted = costs({"--only", "=" + row, "--table", changed});
            return planted.mismatches == 1 && planted.first_mismatch.find(row) != std::string::npos;
          },
          false};
}

}  // namespace mxref::long_suite
