#pragma once
// Models, texts and tasks by name, in ~/.cache/mxref or MXREF_CACHE.

#include <filesystem>
#include <string_view>

#include "eval/assets/manifest.h"

namespace mxref {

// Throws UsageError on an unknown name.
const Asset& asset(std::string_view name);

// Throws InputError where neither MXREF_CACHE nor HOME is set.
std::filesystem::path cache_folder();

// Whether every file is there in its full length.
bool is_present(const Asset& asset);

// The path of a file of an asset; without `file` of its only one. Throws UsageError on an unknown
// name, InputError that names the command which fetches it where it is missing.
std::filesystem::path asset_path(std::string_view name, std::string_view file = {});

// Fetches what is not there yet, checks the hashes of packages, parts and files, and puts the files
// in place all at once; on any failure nothing is left. false: all was there already, with the
// right hashes, and nothing was done. Throws InputError.
bool fetch(const Asset& asset);

}  // namespace mxref
