#pragma once
// SHA-256 of files and bytes, as 64 lower-case hex digits.

#include <filesystem>
#include <string>
#include <string_view>

namespace mxref {

std::string sha256(std::string_view bytes);
// Reads the file piece by piece. Throws InputError where it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace mxref
