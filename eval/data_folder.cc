#include "eval/data_folder.h"

#include "emu/error.h"

namespace mxref {

namespace fs = std::filesystem;

fs::path program_file() { return fs::read_symlink("/proc/self/exe"); }

fs::path data_file(const std::string& name) {
  const fs::path path = program_file().parent_path().parent_path() / MXREF_DATADIR / "mxref" / name;
  if (!fs::exists(path)) throw InputError(path.string() + ": is not beside the program");
  return path;
}

}  // namespace mxref
