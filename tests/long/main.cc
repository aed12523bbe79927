// long_suite --dir DIR [PART …]: runs the parts of the long suite, each from where it was stopped.

#include <fmt/format.h>

#include "emu/error.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"
#include "tests/long/evidence.h"

namespace mxref::long_suite {

static int run(int argc, char** argv) {
  CLI::App app("The long suite: each part goes on where it was stopped.");
  std::string dir;
  std::vector<std::string> names;
  bool list = false;
  app.add_option("--dir", dir, "where the evidence is kept")->required();
  app.add_flag("--list", list, "list the parts");
  app.add_option("PART", names, "parts to run; all where none is named");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? exit_good : exit_wrong_use;
  }
  std::vector<Part> chosen;
  for (const std::string& name : names) chosen.push_back(find_by_name(parts(), "part", name));
  if (chosen.empty()) chosen = parts();
  if (list) {
    for (const Part& part : chosen) fmt::print("{:14} {}\n", part.name, part.what);
    return exit_good;
  }
  const OutputFolder folder(dir);
  bool good = true;
  for (const Part& part : chosen) good &= run_with_evidence(part, dir, program_commit());
  return good ? exit_good : exit_check_failed;
}

}  // namespace mxref::long_suite

int main(int argc, char** argv) {
  return mxref::report_errors("long_suite", [&] { return mxref::long_suite::run(argc, argv); });
}
