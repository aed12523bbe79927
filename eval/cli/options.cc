#include "eval/cli/options.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "emu/isa.h"
#include "emu/threads.h"
#include "eval/cli/output_paths.h"

namespace mxref {
namespace {

constexpr int max_threads = 1024;
constexpr const char* plugin_form = "or plugin:FILE.so, somebody's own (emu/capi/engine_plugin.h)";

CLI::Option* add_file(CLI::App& app, const std::string& name, std::filesystem::path& path,
                      const std::string& description) {
  return app
      .add_option_function<std::string>(
          name, [&path](const std::string& text) { path = text; }, description)
      ->type_name("FILE");
}

}  // namespace

CLI::Option* add_datapath(CLI::App& app, const Datapath*& chosen, const std::string& description) {
  const std::string standard = chosen ? " (default " + std::string(chosen->name) + ")" : "";
  return app
      .add_option_function<std::string>(
          "--datapath", [&chosen](const std::string& text) { chosen = &datapath(text); },
          description + standard + ": " + names_of(datapaths) +
              ", or a description in JSON, of which `formats --datapaths` has an example")
      ->type_name("NAME|JSON");
}

void add_engine(CLI::App& app, const std::string& option, std::string& name,
                const EngineTable& engines) {
  app.add_option_function<std::string>(
         option, [&](const std::string& text) { name = engine_entry(engines, text).name; },
         "engine that computes (default " + name + "): " + names_of(engines) + ", " + plugin_form)
      ->type_name("NAME");
}

void add_engines(CLI::App& app, const std::string& option, std::vector<std::string>& names,
                 const EngineTable& engines) {
  app.add_option_function<std::string>(
         option,
         [&](const std::string& text) {
           for (const std::string& name : CLI::detail::split(text, ','))
             names.push_back(engine_entry(engines, name).name);
         },
         "engines, joined by commas (default: all), each compared with ref: " + names_of(engines) +
             ", " + plugin_form)
      ->type_name("NAMES");
}

CLI::Option* add_seed(CLI::App& app, uint64_t& seed, const std::string& description) {
  return add_number<uint64_t>(app, "--seed", seed, 0, UINT64_MAX,
                              description + ", 0 to 2^64-1 (default " + std::to_string(seed) + ")");
}

void add_threads(CLI::App& app) {
  app.add_option_function<std::string>(
         "--threads",
         [](const std::string& text) {
           set_threads(parse_number("--threads", text, 1, max_threads));
         },
         "threads to compute with (default: the machine's cores); no result depends on it")
      ->type_name("N");
}

void add_isa(CLI::App& app) {
  app.add_option_function<std::string>(
         "--isa", [](const std::string& text) { set_isa(text); },
         "instruction set of the kernels (default: the widest of this machine): " + names_of(isas))
      ->type_name("NAME");
}

void add_json(CLI::App& app, std::filesystem::path& path) {
  add_output(app, "--json", path, "write the full record of the run here");
}

CLI::Option* add_input(CLI::App& app, const std::string& name, std::filesystem::path& path,
                       const std::string& description) {
  return add_file(app, name, path, description);
}

CLI::Option* add_output(CLI::App& app, const std::string& name, std::filesystem::path& path,
                        const std::string& description) {
  return add_file(app, name, path, description)->group(output_group);
}

OutputFolder::OutputFolder(const std::filesystem::path& path) : path_(path) {
  std::error_code error;
  made_ = std::filesystem::create_directory(path, error);
  if (!error && !std::filesystem::is_directory(path, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error && access(path.c_str(), W_OK) != 0) error.assign(errno, std::generic_category());
  if (error) throw InputError(path.string() + ": no folder to write into: " + error.message());
}

OutputFolder::~OutputFolder() {
  std::error_code not_empty;
  if (made_) std::filesystem::remove(path_, not_empty);
}

}  // namespace mxref
