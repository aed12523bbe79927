#pragma once
// Each output of a command is a file of its own: it is written over what is there.

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mxref {

struct NamedPath {
  std::string name;  // for the message: the option
  std::filesystem::path path;
};

// Throws UsageError where an output is another output or an input, by whatever names and links.
// Empty paths and devices are passed over.
void require_distinct(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs);

// The same of all options of a command that name files, as they were parsed: outputs are those of
// the group output_group.
inline constexpr const char* output_group = "Output";
void require_distinct(const CLI::App& app);

// Throws UsageError where one of `others`, by whatever links, is `folder` or lies in it, because
// that folder is written as a whole. Empty paths are passed over.
void require_outside(const NamedPath& folder, const std::vector<NamedPath>& others);

}  // namespace mxref
