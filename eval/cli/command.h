#pragma once
// A command of the program, and how it is run.
//
// To add a command: one file eval/cli/NAME.cc with a function
//
//   Action define_NAME(CLI::App& app, const Context& context) {
//     auto in = std::make_shared<std::filesystem::path>();  // values of the options
//     add_input(app, "--in", *in, "what it is")->required();  // outputs by add_output
//     add_threads(app);                                     // options that commands share:
//     options.h return [=] { …; return exit_good; };                // what runs once they are
//     parsed
//   }
//
// its declaration below; a row in command_list.h; and a row in the table of its home: main.cc, or
// models_main.cc where it needs torch (then its file is a source of the CMake target mxref_models).
// Errors are exceptions: UsageError and InputError become exit codes and messages in run_command.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "emu/engine.h"

namespace CLI {
class App;
}

namespace mxref {

inline constexpr int exit_good = 0;
inline constexpr int exit_check_failed = 1;
inline constexpr int exit_wrong_use = 2;
inline constexpr int exit_bad_input = 3;

// What the program hands down to its commands: only it knows every layer.
struct Context {
  const EngineTable& engines;
  // Engines of the RTL with a planted fault: empty in a build without the RTL.
  const EngineTable& rtl_controls;
  // RTL and SystemC in lock-step, with the RTL's planted faults: rows "cosim" and "fault" of a
  // record. Throws UsageError in a build without the RTL.
  std::function<std::vector<nlohmann::ordered_json>(
      uint64_t seed, const std::function<void(int64_t done, int64_t total)>& progress)>
      lockstep;
};

using Action = std::function<int()>;

struct Command {
  std::string_view name;
  // Declares the command's options; the action runs after they are parsed and returns the exit
  // code. References to options' values must live as long as the action.
  Action (*define)(CLI::App& app, const Context& context);
};

// Parses `args` (what follows the command's name) and runs it → exit code. No exception escapes; a
// failure is told on standard error.
int run_command(const Command& command, const std::vector<std::string>& args,
                const Context& context);

// Runs `work`, tells its exceptions on standard error under the name `who` → exit code.
int report_errors(std::string_view who, const std::function<int()>& work);

Action define_area(CLI::App& app, const Context& context);
Action define_array(CLI::App& app, const Context& context);
Action define_assets(CLI::App& app, const Context& context);
Action define_audit(CLI::App& app, const Context& context);
Action define_crosscheck(CLI::App& app, const Context& context);
Action define_cosim(CLI::App& app, const Context& context);
Action define_dequantize(CLI::App& app, const Context& context);
Action define_forward(CLI::App& app, const Context& context);  // in libmxref_models.so
Action define_eval(CLI::App& app, const Context& context);
Action define_formats(CLI::App& app, const Context& context);
Action define_gemm(CLI::App& app, const Context& context);
Action define_ptq(CLI::App& app, const Context& context);
Action define_quantize(CLI::App& app, const Context& context);
Action define_study(CLI::App& app, const Context& context);
Action define_validate(CLI::App& app, const Context& context);
Action define_vectors(CLI::App& app, const Context& context);

}  // namespace mxref
