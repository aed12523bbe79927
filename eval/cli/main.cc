// mxref COMMAND [options]: finds the command and runs it, here or in the library of models.

#include <array>
#include <csignal>
#include <cstdio>

#include "eval/cli/command.h"
#include "eval/cli/command_list.h"
#include "eval/cli/engines.h"
#include "eval/cli/lockstep.h"
#include "eval/cli/models_library.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

constexpr std::array commands{
    Command{"formats", define_formats},       Command{"quantize", define_quantize},
    Command{"dequantize", define_dequantize}, Command{"gemm", define_gemm},
    Command{"vectors", define_vectors},       Command{"crosscheck", define_crosscheck},
    Command{"cosim", define_cosim},           Command{"audit", define_audit},
    Command{"array", define_array},           Command{"area", define_area},
    Command{"assets", define_assets},
};
static_assert(defines_all(commands, Home::core));

void print_help() {
  std::puts("mxref: one definition of Microscaling (MX) arithmetic, from RTL to model accuracy\n");
  std::puts("usage: mxref COMMAND [options]\n       mxref COMMAND --help\n\ncommands:");
  for (const CommandRow& row : command_list)
    std::printf("  %-12.*s%.*s%s\n", int(row.name.size()), row.name.data(), int(row.summary.size()),
                row.summary.data(),
                row.home == Home::models && !has_models_library() ? " (not in this build)" : "");
  std::puts(
      "\nexit codes: 0 good, 1 a check failed, 2 wrong use, 3 bad input or unwritable output");
}

// `mxref --threads 2 gemm …` is `mxref gemm … --threads 2`.
void move_common_options_behind_the_command(std::vector<std::string>& args) {
  const auto is_common = [](const std::string& arg) {
    const std::string name = arg.substr(0, arg.find('='));
    return name == "--threads" || name == "--isa" || name == "--json";
  };
  size_t count = 0;
  while (count < args.size() && is_common(args[count]))
    count += args[count].find('=') == std::string::npos ? 2 : 1;
  if (count < args.size()) std::rotate(args.begin(), args.begin() + long(count), args.end());
}

int run(std::vector<std::string> args) {
  move_common_options_behind_the_command(args);
  if (args.empty()) {
    print_help();
    return exit_wrong_use;
  }
  const std::string name = args.front();
  args.erase(args.begin());
  if (name == "--help" || name == "-h") {
    print_help();
    return exit_good;
  }
  if (name == "--version") {
    std::printf("mxref %s (%s)\n", program_version().data(), program_commit().data());
    return exit_good;
  }
  const EngineTable engines = make_engine_table(), rtl_controls = make_rtl_controls();
  const Context context{engines, rtl_controls, lockstep_rows};
  if (find_by_name(command_list, "command", name).home == Home::models)
    return run_in_models_library(name, args, context);
  return run_command(find_by_name(commands, "command", name), args, context);
}

}  // namespace
}  // namespace mxref

int main(int argc, char** argv) {
  // A write beyond the limit of a file's size is an error like a full disk, not the end.
  std::signal(SIGXFSZ, SIG_IGN);
  return mxref::report_errors("mxref", [&] { return mxref::run({argv + 1, argv + argc}); });
}
