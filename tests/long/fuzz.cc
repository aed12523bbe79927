// Every fuzz target for its share of half an hour; corpora grow in build-sanitize
// (tests/fuzz/run.sh).

#include <fmt/format.h>

#include <sstream>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/child_process.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t all_seconds = 30 * 60, slice_seconds = 15;

std::filesystem::path build_folder() { return MXREF_SOURCE_DIR "/build-sanitize"; }

std::vector<std::string> targets() {
  const std::filesystem::path list = build_folder() / "fuzz_targets.txt";
  if (!std::filesystem::exists(list))
    throw InputError(list.string() + ": is absent; ./check --long fuzz builds the targets");
  std::vector<std::string> names;
  std::istringstream lines(read_file(list));
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

// What run.sh says: "executed N", "finding: …".
struct Outcome {
  int64_t executed = 0;
  std::string finding;
};
Outcome run_target(const std::string& target, int64_t seconds) {
  const std::filesystem::path said = build_folder() / ("said-" + target);
  const int status = run_program({MXREF_SOURCE_DIR "/tests/fuzz/run.sh", build_folder().string(),
                                  target, std::to_string(seconds)},
                                 said);
  Outcome outcome;
  std::istringstream lines(read_file(said));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("executed ")) outcome.executed = std::atoll(line.c_str() + 9);
    if (line.starts_with("finding: ")) outcome.finding = line;
  }
  if (status != 0 && outcome.finding.empty())
    throw InputError(said.string() + ": the run of fuzz_" + target + " ended with " +
                     std::to_string(status));
  return outcome;
}

SliceResult run(int64_t slice) {
  const std::vector<std::string> names = targets();
  const std::string& target = names[size_t(slice) % names.size()];
  const Outcome outcome = run_target(target, slice_seconds);
  return {outcome.executed, !outcome.finding.empty(), outcome.finding};
}

}  // namespace

Part fuzz_part() {
  // A part is listed before its targets are built; then their number is that of the last build.
  const bool is_built = std::filesystem::exists(build_folder() / "fuzz_targets.txt");
  const int64_t count = is_built ? int64_t(targets().size()) : 1;
  return {"fuzz",
          "libFuzzer on every reader of files, descriptions and values, half an hour in all",
          all_seconds / slice_seconds / count * count,
          run,
          [] {
            return run_target("planted", 30).finding.find("heap-buffer-overflow") !=
                   std::string::npos;
          },
          false};
}

}  // namespace mxref::long_suite
