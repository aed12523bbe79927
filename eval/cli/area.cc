// mxref area: what a datapath costs in hardware. rtl_models/synth/area.py does it; this starts it.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "eval/cli/command.h"
#include "eval/data_folder.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

// The script takes this process' place; before its arguments stand the program and the head of its
// record.
int start(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"python3",
                                 "-B",
                                 data_file("rtl_models/synth/area.py").string(),
                                 "--mxref",
                                 program_file().string(),
                                 "--record-head",
                                 Record("area").facts().dump()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  throw InputError("python3 is not installed: apt-get install python3");
}

}  // namespace

Action define_area(CLI::App& app, const Context&) {
  app.set_help_flag();   // the script has its own,
  app.prefix_command();  // and its options
  return [&app] { return start(app.remaining()); };
}

}  // namespace mxref
