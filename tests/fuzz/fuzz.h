#pragma once
// What the fuzz targets share. A target gives the bytes that libFuzzer makes up to one reader: it
// must read them or refuse them by an exception of emu/error.h. Any other exception, a crash, an
// overrun or undefined behaviour is a finding.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref::fuzz {

// A file in memory, for readers that want a path.
class File {
 public:
  explicit File(std::string_view bytes) : descriptor_(memfd_create("fuzz", 0)) {
    if (descriptor_ < 0) std::abort();
    if (write(descriptor_, bytes.data(), bytes.size()) != ssize_t(bytes.size())) std::abort();
  }
  ~File() { close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// A folder in memory that lives as long as the target, for readers that want several files.
inline const std::filesystem::path& folder() {
  static const std::filesystem::path path = [] {
    std::string name = "/dev/shm/mxref-fuzz-XXXXXX";
    if (!mkdtemp(name.data())) std::abort();
    std::atexit([] { std::filesystem::remove_all(folder()); });
    return std::filesystem::path(name);
  }();
  return path;
}
inline void put(const char* name, std::string_view bytes) {
  std::ofstream(folder() / name, std::ios::binary) << bytes;
}

template <typename Read>
void read_or_refuse(const Read& read) {
  try {
    read();
  } catch (const UsageError&) {
  } catch (const InputError&) {
  }
}

// The bytes up to the next '\0', which is taken away with them; all where there is none.
inline std::string_view next_part(std::string_view& bytes) {
  const size_t end = bytes.find('\0');
  const std::string_view part = bytes.substr(0, end);
  bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  return part;
}

// A safetensors file: as the bytes are, or, where the first is even, with the length of its header
// set right, which libFuzzer would not find: the header ends at the first '\0'.
inline std::string safetensors(std::string_view bytes) {
  if (bytes.empty()) return "";
  const bool as_it_is = bytes[0] & 1;
  bytes.remove_prefix(1);
  if (as_it_is) return std::string(bytes);
  const std::string_view header = next_part(bytes);
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = char(uint64_t(header.size()) >> (8 * i));
  return file.append(header).append(bytes);
}

}  // namespace mxref::fuzz

// Each target defines this; `bytes` is what libFuzzer made up.
void fuzz_one(std::string_view bytes);
