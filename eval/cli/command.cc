#include "eval/cli/command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "eval/cli/command_list.h"
#include "eval/cli/output_paths.h"

namespace mxref {
namespace {

int fail(std::string_view who, const std::string& message, int code) {
  std::fprintf(stderr, "%s: %s\n", std::string(who).c_str(), printable(message).c_str());
  return code;
}

// CLI11 tells of a missing option before it tells of an unknown one, which is often the cause.
void refuse_leftovers(const CLI::App& app) {
  const std::vector<std::string> leftovers = app.remaining();
  if (leftovers.empty()) return;
  const std::string& first = leftovers.front();
  if (!first.starts_with("-")) throw UsageError("unexpected argument '" + first + "'");
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name());
  throw UsageError(
      unknown_name("option", first.substr(0, first.find('=')), {names.begin(), names.end()}));
}

}  // namespace

int report_errors(std::string_view who, const std::function<int()>& work) {
  try {
    const int code = work();
    if (code == exit_good && (std::fflush(stdout) != 0 || std::ferror(stdout)))
      throw InputError("standard output cannot be written");
    return code;
  } catch (const UsageError& e) {
    return fail(who, e.what(), exit_wrong_use);
  } catch (const InputError& e) {
    return fail(who, e.what(), exit_bad_input);
  } catch (const std::bad_alloc&) {
    return fail(who, "not enough memory for this input", exit_bad_input);
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(who, e.path1().string() + ": " + e.code().message(), exit_bad_input);
  } catch (const std::exception& e) {
    return fail(who, e.what(), exit_bad_input);
  }
}

int run_command(const Command& command, const std::vector<std::string>& args,
                const Context& context) {
  const std::string who = "mxref " + std::string(command.name);
  return report_errors(who, [&] {
    CLI::App app(std::string(find_by_name(command_list, "command", command.name).summary), who);
    app.set_help_flag("--help,-h", "print this");
    app.allow_extras();
    const Action action = command.define(app, context);
    try {
      // CLI11 takes the arguments of a vector from its back.
      app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::CallForHelp&) {
      std::fputs(app.help().c_str(), stdout);
      return exit_good;
    } catch (const CLI::ParseError& e) {
      refuse_leftovers(app);
      throw UsageError(std::string(e.what()) + "; see " + who + " --help");
    }
    if (!app.get_prefix_command()) refuse_leftovers(app);
    require_distinct(app);
    return action();
  });
}

}  // namespace mxref
