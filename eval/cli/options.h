#pragma once
// Options that commands share. Every number is parsed whole and range-checked.

#include <charconv>
#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "emu/engine.h"
#include "emu/error.h"

namespace mxref {

// text → number, whole. Throws UsageError that names the option and the range.
template <typename T>
T parse_number(std::string_view option, std::string_view text, T min, T max) {
  T value = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= min && value <= max))
    throw UsageError(std::string(option) + " '" + std::string(text) + "' is no number from " +
                     std::to_string(min) + " to " + std::to_string(max));
  return value;
}

template <typename T>
CLI::Option* add_number(CLI::App& app, const std::string& name, T& value, T min, T max,
                        const std::string& description) {
  return app
      .add_option_function<std::string>(
          name,
          [name, &value, min, max](const std::string& text) {
            value = parse_number(name, text, min, max);
          },
          description)
      ->type_name("N");
}

// "a, b, c" of the rows of a table.
template <typename Table>
std::string names_of(const Table& table) {
  std::string names;
  for (const auto& row : table) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

// `row` becomes the row of `table` that is named; an unknown name gets the valid ones. `what` is
// the word for a row in the message.
template <typename Row, typename Table>
CLI::Option* add_named(CLI::App& app, const std::string& name, const Row*& row, const Table& table,
                       const std::string& what, const std::string& description) {
  const std::string standard = row ? " (default " + std::string(row->name) + ")" : "";
  return app
      .add_option_function<std::string>(
          name,
          [what, &row, &table](const std::string& text) { row = &find_by_name(table, what, text); },
          description + standard + ": " + names_of(table))
      ->type_name("NAME");
}

// --datapath: a name, or a description in JSON.
CLI::Option* add_datapath(CLI::App& app, const Datapath*& datapath, const std::string& description);

// The name of an engine; an unknown one gets the valid ones. Nothing is made yet.
void add_engine(CLI::App& app, const std::string& option, std::string& name,
                const EngineTable& engines);
// The same for a list "a,b,c".
void add_engines(CLI::App& app, const std::string& option, std::vector<std::string>& names,
                 const EngineTable& engines);
CLI::Option* add_seed(CLI::App& app, uint64_t& seed, const std::string& description);
void add_threads(CLI::App& app);  // --threads: set when parsed
void add_isa(CLI::App& app);      // --isa: set when parsed
void add_json(CLI::App& app, std::filesystem::path& path);
CLI::Option* add_input(CLI::App& app, const std::string& name, std::filesystem::path& path,
                       const std::string& description);
CLI::Option* add_output(CLI::App& app, const std::string& name, std::filesystem::path& path,
                        const std::string& description);

// The folder of an option `--out DIR`, made where it does not exist, not its parents. One that was
// made and into which nothing was written goes again with the object. Throws InputError.
class OutputFolder {
 public:
  explicit OutputFolder(const std::filesystem::path& path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  std::filesystem::path path_;
  bool made_;
};

}  // namespace mxref
