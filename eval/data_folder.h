#pragma once
// Files that come with the program: beside it, where they are built as where they are installed.

#include <filesystem>
#include <string>

namespace mxref {

std::filesystem::path program_file();  // the program that runs

// A file of share/mxref. Throws InputError where it is not there.
std::filesystem::path data_file(const std::string& name);

}  // namespace mxref
