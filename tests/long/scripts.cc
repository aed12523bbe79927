// Parts that are scripts: they build the tree anew. They print "N results compared" for what they
// compared, and end with another status than 0 where something is not as it should be.

#include <fmt/format.h>

#include <regex>
#include <sstream>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

const std::string source = MXREF_SOURCE_DIR, build = MXREF_BINARY_DIR;

SliceResult run_script(const std::string& name, const std::vector<std::string>& words) {
  const std::filesystem::path said = build + "/tests/long/said-" + name;
  std::vector<std::string> all{MXREF_PYTHON, source + "/tests/" + name + "/" + name + ".py",
                               source};
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
  return run_script("rows", {build + "/tests/rows/scratch", build, word});
}
SliceResult compilers(const std::string& word) {
  return run_script("compilers", {build + "/tests/compilers/builds", build + "/bin/mxref", word});
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

}  // namespace mxref::long_suite
