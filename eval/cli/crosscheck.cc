// mxref crosscheck: every engine against the definition, and faulty engines that must be caught.

#include "emu/crosscheck/crosscheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "emu/files/atomic_file.h"
#include "emu/isa.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/crosscheck_results.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

struct CrosscheckSettings {
  const BlockFormat *format = nullptr, *format_b = nullptr;
  const Datapath* datapath = nullptr;
  CrosscheckOptions crosscheck;
  std::filesystem::path json;
};

std::string refusal(const CrosscheckRow& row) {
  if (row.refused == 0) return "";
  return fmt::format("refuses {} of {} products: {}", row.refused, row.products, row.reason);
}

void print_report(const CrosscheckReport& report) {
  fmt::print("each result compared with that of the definition ({}), bit for bit\n", definition);
  size_t width = 8;  // a plugin is called after its file
  for (const CrosscheckRow& row : report.rows) width = std::max(width, row.implementation.size());
  constexpr const char* line = "{:<{}} {:<10} {:<10} {:<18} {:>10} {:>10}  {}\n";
  fmt::print(line, "engine", width, "format a", "format b", "datapath", "compared", "mismatches",
             "");
  std::map<std::pair<std::string, std::string>, int64_t> refused;  // engine and reason → rows
  for (const CrosscheckRow& row : report.rows) {
    if (row.implementation == definition) continue;
    if (row.refused == row.products)
      ++refused[{row.implementation, row.reason}];
    else
      fmt::print(line, row.implementation, width, row.format_a, row.format_b, row.datapath,
                 row.compared, row.mismatches, refusal(row));
  }
  for (const auto& [what, rows] : refused)
    fmt::print("{:<{}} refuses {} more rows: {}\n", what.first, width, rows, what.second);
  int64_t compared = 0, mismatches = 0;
  for (const CrosscheckRow& row : report.rows) {
    if (row.implementation == definition) continue;
    compared += row.compared;
    mismatches += row.mismatches;
  }
  fmt::print("{} results compared, {} mismatches\n", compared, mismatches);
  for (const CrosscheckControl& control : report.controls)
    fmt::print("control {:<20} {}\n", control.name, control.caught ? "caught" : "NOT CAUGHT");
  for (const std::string& failure : report.failures) fmt::print("{}\n", failure);
}

// Throws UsageError where all that is asked for is the definition itself.
void require_some_comparison(const std::vector<std::string>& implementations) {
  if (!implementations.empty() &&
      std::ranges::all_of(implementations, [](auto& name) { return name == definition; }))
    throw UsageError("--impl " + std::string(definition) +
                     " leaves nothing to compare: it is the definition, with which every other "
                     "engine is compared");
}

int crosscheck_command(CrosscheckSettings& options, const EngineTable& engines) {
  require_some_comparison(options.crosscheck.implementations);
  require_writable(options.json);
  CrosscheckOptions& c = options.crosscheck;
  require_writable(c.resume);
  const std::string_view commit = program_commit();
  if (!c.resume.empty() && (commit == "unknown" || commit.ends_with("-dirty")))
    throw UsageError("--resume needs a program that was built from a commit: this one is of '" +
                     std::string(commit) + "', and what the file has may be of other sources");
  c.resume_key = "commit " + std::string(commit) + ", " + std::string(name_of(current_isa()));
  if (options.format) c.formats = {options.format};
  if (options.format_b) c.formats_b = {options.format_b};
  if (options.datapath) c.datapaths = {options.datapath};
  Record record("crosscheck");
  record.set_seed(c.seed);
  Progress progress("crosscheck", 0);
  c.progress = [&](int64_t done, int64_t total) { progress.update(done, total); };
  const CrosscheckReport report = crosscheck(engines, c);
  progress.clear();
  print_report(report);
  record.set("definition", definition);
  record.set("passed", report.passed());
  for (auto& result : crosscheck_results(report)) record.add(std::move(result));
  record.write(options.json);
  return report.passed() ? exit_good : exit_check_failed;
}

}  // namespace

Action define_crosscheck(CLI::App& app, const Context& context) {
  auto o = std::make_shared<CrosscheckSettings>();
  add_named(app, "--format", o->format, block_formats, "format",
            "format of both operands, or of a (default: every pair)");
  add_named(app, "--format-b", o->format_b, block_formats, "format", "format of b");
  add_datapath(app, o->datapath, "this accumulation alone");
  add_engines(app, "--impl", o->crosscheck.implementations, context.engines);
  add_number(app, "--level", o->crosscheck.level, 1, 3,
             "1, 2 or 3: seconds, minutes, up to an hour (default 1)");
  app.add_option("--resume", o->crosscheck.resume,
                 "keep what has been compared in this file, and go on from it")
      ->type_name("FILE");
  add_seed(app, o->crosscheck.seed, "seed of the first product");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &engines = context.engines] { return crosscheck_command(*o, engines); };
}

}  // namespace mxref
