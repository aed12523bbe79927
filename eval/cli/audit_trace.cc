#include "eval/cli/audit_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "emu/audit/trace.h"
#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/output_paths.h"
#include "eval/report/progress.h"
#include "eval/report/record.h"
#include "eval/report/trace_results.h"

namespace mxref {

namespace {

// What is said of a simulator is nothing to two traces.
void require_no_other_options(const CLI::App& app) {
  constexpr std::array<std::string_view, 3> taken{"--trace", "--threads", "--json"};
  for (const CLI::Option* option : app.get_options())
    if (option->count() > 0 && std::ranges::find(taken, option->get_name()) == taken.end())
      throw UsageError("--trace compares two traces, and " + option->get_name() +
                       " is of the audit of a simulator; expected one of them");
}

}  // namespace

void add_trace(CLI::App& app, std::vector<std::filesystem::path>& folders) {
  app.add_option_function<std::vector<std::string>>(
         "--trace",
         [&folders](const std::vector<std::string>& words) {
           for (const std::string& word : words) {
             if (word.empty()) throw UsageError("--trace '': expected two folders DIR_A DIR_B");
             folders.emplace_back(word);
           }
         },
         "two traces that `mxref forward --trace` wrote, DIR_A DIR_B: the first module, row and "
         "element that differ, and whether the difference starts there")
      ->type_name("DIR")
      ->expected(2);
}

int audit_traces(const CLI::App& app, const std::vector<std::filesystem::path>& folders,
                 const std::filesystem::path& json) {
  require_no_other_options(app);
  for (const std::filesystem::path& folder : folders)
    require_outside({"--trace", folder}, {{"--json", json}});
  require_writable(json);
  Record record("audit");
  const Trace a = open_trace(folders[0]), b = open_trace(folders[1]);
  Progress progress("audit", int64_t(a.modules.size()));
  const TraceReport report = compare_traces(a, b, [&](int64_t done) { progress.update(done); });
  progress.clear();
  fmt::print("{}", trace_text(a, b, report));
  record.add(trace_result(a, b, report));
  record.set("passed", report.different == 0);
  record.write(json);
  return report.different == 0 ? exit_good : exit_check_failed;
}

}  // namespace mxref
