#pragma once
// The two ways in which a caller can be wrong. The program maps them to its exit codes.

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

// A message as a terminal may show it: what files and arguments are called may be endless, or hold
// control characters (a NUL would end the message). Those become '?', a line end stays.
std::string printable(std::string text);

// Wrong use: an unknown name, a value out of range, an engine that does not take a format. Exit
// code 2.
struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& message) : std::runtime_error(printable(message)) {}
};

// A bad input file, or an output that cannot be written: the message names file, tensor or field,
// and the form that was expected. Exit code 3.
struct InputError : std::runtime_error {
  explicit InputError(const std::string& message) : std::runtime_error(printable(message)) {}
};
// "FILE: WHAT"
[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& what);

// "unknown WHAT 'given'; did you mean 'x'? valid: x, y, z"
std::string unknown_name(std::string_view what, std::string_view given,
                         const std::vector<std::string_view>& valid);

// The row of `table` (anything with .name) that is called `name`. Throws UsageError with
// unknown_name().
template <typename Table>
const auto& find_by_name(const Table& table, std::string_view what, std::string_view name) {
  std::vector<std::string_view> valid;
  for (const auto& row : table) {
    if (row.name == name) return row;
    valid.push_back(row.name);
  }
  throw UsageError(unknown_name(what, name, valid));
}

// Two rows of one name do not compile: static_assert(names_are_distinct(table)).
template <typename Table>
constexpr bool names_are_distinct(const Table& table) {
  for (size_t i = 0; i < table.size(); ++i)
    for (size_t j = i + 1; j < table.size(); ++j)
      if (table[i].name == table[j].name) return false;
  return true;
}

}  // namespace mxref
