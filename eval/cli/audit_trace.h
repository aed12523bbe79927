#pragma once
// mxref audit --trace: where two traces of a model part.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <vector>

namespace mxref {

void add_trace(CLI::App& app, std::vector<std::filesystem::path>& folders);

// Compares the two traces of --trace and prints what was found → exit code. Throws UsageError where
// `app` was given options of a simulator, or the record would lie in a trace; InputError where one
// is damaged, or they are of different modules.
int audit_traces(const CLI::App& app, const std::vector<std::filesystem::path>& folders,
                 const std::filesystem::path& json);

}  // namespace mxref
