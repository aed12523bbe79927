#pragma once
// Output files appear whole or not at all: written beside their place, then renamed.

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace mxref {

// Calls `fill` with a stream into a file beside `path`; on success renames it to `path`; on any
// failure, and where the process ends in between, the file is gone. Throws InputError that names
// `path` where it cannot be written (no such folder, disk full, …). A path that is no regular file
// (/dev/stdout) is written directly; a link is followed, to where a file is or will be.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(std::ostream&)>& fill);
void write_atomically(const std::filesystem::path& path, std::string_view text);

// Throws InputError where write_atomically(path, …) would certainly fail: for long work, so that it
// fails before and not after. Does nothing where `path` is empty.
void require_writable(const std::filesystem::path& path);

// The whole file as text. Throws InputError, for a device or a pipe too: it may have no end.
std::string read_file(const std::filesystem::path& path);

}  // namespace mxref
