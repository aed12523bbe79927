#pragma once
// A folder for files that pass between programs, removed with what is in it when the object goes.

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "emu/error.h"

namespace mxref {

class ScratchFolder {
 public:
  // In TMPDIR, or /tmp. Throws InputError, which says what the folder was for, where none can be
  // made.
  explicit ScratchFolder(const std::string& what_for) {
    std::error_code error;
    std::string path = std::filesystem::temp_directory_path(error) / "mxref-XXXXXX";
    if (error || !mkdtemp(path.data()))
      throw InputError(what_for + ": TMPDIR is no folder to write into: " +
                       (error ? error.message() : path + ": " + std::strerror(errno)));
    path_ = path;
  }
  ~ScratchFolder() {
    std::error_code is_gone;
    std::filesystem::remove_all(path_, is_gone);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace mxref
