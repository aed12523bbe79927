// long_suite --dir DIR [PART …]: runs the parts' slices that have not been run for this commit,
// each part's control first; DIR/PART.json is the evidence, written after each slice.

#include <fmt/format.h>
#include <omp.h>

#include <chrono>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/threads.h"
#include "eval/report/record.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json load_evidence(const fs::path& file, const Part& part) {
  if (fs::exists(file)) {
    json evidence = json::parse(read_file(file));
    if (evidence["commit"] == program_commit() && evidence["slices"] == part.slices)
      return evidence;
  }
  return {{"part", part.name},     {"what", part.what}, {"commit", program_commit()},
          {"slices", part.slices}, {"done", 0},         {"compared", 0},
          {"mismatches", 0},       {"seconds", 0.0},    {"first_mismatch", ""}};
}

void add(json& evidence, const SliceResult& slice) {
  evidence["done"] = evidence["done"].get<int64_t>() + 1;
  evidence["compared"] = evidence["compared"].get<int64_t>() + slice.compared;
  evidence["mismatches"] = evidence["mismatches"].get<int64_t>() + slice.mismatches;
  if (evidence["first_mismatch"] == "") evidence["first_mismatch"] = slice.first_mismatch;
}

// Slices run side by side, but are counted in order: `done` slices from the first are finished.
bool run(const Part& part, const fs::path& dir) {
  const fs::path file = dir / (part.name + ".json");
  json evidence = load_evidence(file, part);
  evidence["control_caught"] = part.control();
  fmt::print("{}: {}\n  control (planted error) {}\n", part.name, part.what,
             evidence["control_caught"].get<bool>() ? "caught" : "NOT CAUGHT");
  const int64_t begin = evidence["done"];
  if (begin > 0) fmt::print("  goes on at slice {} of {}\n", begin, part.slices);

  const int width = part.side_by_side ? threads() : 1;
  for (int64_t first = begin; first < part.slices; first += width) {
    const auto start = std::chrono::steady_clock::now();
    const int64_t count = std::min<int64_t>(width, part.slices - first);
    std::vector<SliceResult> results(static_cast<size_t>(count));
#pragma omp parallel for schedule(static, 1) if (width > 1)
    for (int64_t i = 0; i < count; ++i) results[size_t(i)] = part.run(first + i);
    for (const SliceResult& slice : results) add(evidence, slice);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    evidence["seconds"] = evidence["seconds"].get<double>() + seconds.count();
    write_atomically(file, evidence.dump(1) + "\n");
    if (first / 64 != (first + width) / 64 || first + count == part.slices) {
      fmt::print("  {:5.1f} %  {} compared, {} mismatches\n",
                 100.0 * double(first + count) / double(part.slices),
                 evidence["compared"].get<int64_t>(), evidence["mismatches"].get<int64_t>());
      std::fflush(stdout);
    }
  }
  if (evidence["mismatches"] != 0)
    fmt::print("  first: {}\n", evidence["first_mismatch"].get<std::string>());
  return evidence["mismatches"] == 0 && evidence["control_caught"] == true;
}

}  // namespace
}  // namespace mxref::long_suite

int main(int argc, char** argv) {
  using namespace mxref::long_suite;
  CLI::App app("The long suite: each part goes on where it was stopped.");
  std::string dir;
  std::vector<std::string> names;
  bool list = false;
  app.add_option("--dir", dir, "where the evidence is kept")->required();
  app.add_flag("--list", list, "list the parts");
  app.add_option("PART", names, "parts to run; all where none is named");
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<Part> chosen;
    for (const std::string& name : names)
      chosen.push_back(mxref::find_by_name(parts(), "part", name));
    if (chosen.empty()) chosen = parts();
    if (list) {
      for (const Part& part : chosen) fmt::print("{:14} {}\n", part.name, part.what);
      return 0;
    }
    fs::create_directories(dir);
    bool good = true;
    for (const Part& part : chosen) good &= run(part, dir);
    return good ? 0 : 1;
  } catch (const mxref::UsageError& e) {
    fmt::print(stderr, "long_suite: {}\n", e.what());
    return 2;
  }
}
