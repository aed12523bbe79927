#pragma once

#include <unistd.h>
#include <verilated.h>
#include <verilated_cov.h>

#include <filesystem>
#include <string>

#include "emu/error.h"
#include "emu/files/atomic_file.h"

namespace mxref {

// Coverage goes by way of a temporary file: Verilator aborts where it cannot write. Throws
// InputError where TMPDIR, or /tmp, cannot be written.
inline std::filesystem::path temporary_coverage_file() {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) throw InputError("coverage: TMPDIR is no folder to write into");
  auto file = folder / ("mxref-coverage-" + std::to_string(getpid()) + ".dat");
  require_writable(file);
  return file;
}

// What the models of a context have collected, as Verilator's own tool reads it.
inline std::string coverage_data(VerilatedContext& context) {
  const std::filesystem::path file = temporary_coverage_file();
  context.coveragep()->write(file.c_str());
  std::string data = read_file(file);
  std::filesystem::remove(file);
  return data;
}

}  // namespace mxref
