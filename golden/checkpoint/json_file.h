#pragma once
// JSON files of a model's folder.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace mxref {

// The object that is the whole file. Throws InputError where the file cannot be read or holds
// anything else.
nlohmann::json read_json_object(const std::filesystem::path& path);

}  // namespace mxref
