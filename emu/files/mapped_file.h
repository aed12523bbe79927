#pragma once
// A file seen as bytes in memory, read only.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace mxref {

struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> mapping;  // keeps the bytes; null where the file is empty
};

// Throws InputError that names the file where it cannot be read, or is no regular file.
MappedFile map_file(const std::filesystem::path& path);

}  // namespace mxref
