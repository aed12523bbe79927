#include "eval/cli/output_paths.h"

#include <algorithm>
#include <array>
#include <CLI/CLI.hpp>

#include "emu/error.h"

namespace mxref {

namespace fs = std::filesystem;

namespace {

bool is_device(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  if (a.empty() || b.empty() || is_device(a)) return false;
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path whole_a = fs::weakly_canonical(fs::absolute(a), error);
  return !error && whole_a == fs::weakly_canonical(fs::absolute(b), error) && !error;
}

bool is_within(const fs::path& folder, const fs::path& path) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

// The words that options have for a value that may be a path (NAME[:FILE]: behind the colon).
constexpr std::array<std::string_view, 5> path_types{"FILE", "DIR", "MODEL", "RECIPE",
                                                     "NAME[:FILE]"};

}  // namespace

void require_distinct(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
  const auto require = [](const NamedPath& output, const NamedPath& other) {
    if (is_same_file(output.path, other.path))
      throw UsageError(output.name + " and " + other.name + " are the same file '" +
                       output.path.string() + "', which would be overwritten");
  };
  for (size_t i = 0; i < outputs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) require(outputs[i], outputs[j]);
    for (const NamedPath& input : inputs)
      if (std::error_code error; fs::exists(input.path, error)) require(outputs[i], input);
  }
}

void require_distinct(const CLI::App& app) {
  std::vector<NamedPath> outputs, inputs;
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    if (std::find(path_types.begin(), path_types.end(), type) == path_types.end()) continue;
    for (const std::string& value : option->results()) {
      const size_t begin = type == "NAME[:FILE]" ? value.find(':') + 1 : 0;
      (option->get_group() == output_group ? outputs : inputs)
          .push_back({option->get_name(), value.substr(begin)});
    }
  }
  require_distinct(outputs, inputs);
}

void require_outside(const NamedPath& folder, const std::vector<NamedPath>& others) {
  std::error_code ignored;
  const auto resolved = [&](const fs::path& path) {
    const fs::path whole = fs::weakly_canonical(fs::absolute(path), ignored);
    return whole.has_filename() ? whole : whole.parent_path();
  };
  const fs::path place = resolved(folder.path);
  for (const NamedPath& other : others) {
    if (other.path.empty()) continue;
    const fs::path named = fs::absolute(other.path);  // a link in the folder may lead out of it
    const fs::path link = resolved(named.parent_path()) / named.filename();
    if (is_within(place, resolved(other.path)) || is_within(place, link))
      throw UsageError(other.name + " '" + other.path.string() + "' lies in the folder '" +
                       folder.path.string() + "' of " + folder.name +
                       ", which is written as a whole; expected another place");
  }
}

}  // namespace mxref
