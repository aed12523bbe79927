#include "tests/long/evidence.h"

#include <fmt/format.h>
#include <omp.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "emu/isa.h"
#include "emu/threads.h"

namespace mxref::long_suite {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

json no_evidence(const Part& part, std::string_view commit) {
  return {{"part", part.name},     {"what", part.what},
          {"commit", commit},      {"isa", name_of(current_isa())},
          {"slices", part.slices}, {"done", 0},
          {"compared", 0},         {"mismatches", 0},
          {"seconds", 0.0},        {"first_mismatch", ""}};
}

json load_evidence(const fs::path& file, const Part& part, std::string_view commit) {
  json fresh = no_evidence(part, commit);
  if (!fs::exists(file)) return fresh;
  const json found = read_json_object(file);
  const bool is_a_commit = !commit.ends_with("-dirty") && commit != "unknown";
  for (const char* field : {"commit", "isa", "slices"})
    if (!is_a_commit || !found.contains(field) || found[field] != fresh[field]) return fresh;
  const auto refuse = [&](const std::string& field) {
    throw InputError(file.string() + ": field '" + field +
                     "' is damaged; remove the file to run the part from its beginning");
  };
  for (const auto& [field, value] : fresh.items())
    if (!found.contains(field) || found[field].type_name() != std::string(value.type_name()) ||
        found[field].is_number_integer() != value.is_number_integer())
      refuse(field);
  if (found["done"] < 0 || found["done"] > part.slices) refuse("done");
  return found;
}

void add(json& evidence, const SliceResult& slice) {
  evidence["done"] = evidence["done"].get<int64_t>() + 1;
  evidence["compared"] = evidence["compared"].get<int64_t>() + slice.compared;
  evidence["mismatches"] = evidence["mismatches"].get<int64_t>() + slice.mismatches;
  if (evidence["first_mismatch"] == "") evidence["first_mismatch"] = slice.first_mismatch;
}

}  // namespace

// Slices run side by side, but are counted in order: `done` slices from the first are finished.
bool run_with_evidence(const Part& part, const fs::path& dir, std::string_view commit) {
  const fs::path file = dir / (part.name + ".json");
  require_writable(file);
  json evidence = load_evidence(file, part, commit);
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

}  // namespace mxref::long_suite
