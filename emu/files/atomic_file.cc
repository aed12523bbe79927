#include "emu/files/atomic_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "emu/error.h"

namespace mxref {

namespace fs = std::filesystem;

void write_atomically(const fs::path& path, const std::function<void(std::ostream&)>& fill) {
  std::error_code ignored;
  const bool direct = fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
  if (direct && fs::is_directory(path, ignored))
    throw InputError(path.string() + ": is a directory; expected a file name");
  fs::path target = path;
  if (!direct) target += ".partial-" + std::to_string(getpid());
  try {
    errno = 0;
    std::ofstream out(target, std::ios::binary);
    if (!out) throw InputError(path.string() + ": cannot be written: " + std::strerror(errno));
    fill(out);
    out.flush();
    if (!out)
      throw InputError(path.string() + ": writing failed: " +
                       (errno ? std::strerror(errno) : "the stream went bad"));
    out.close();
    if (!direct) fs::rename(target, path);
  } catch (const fs::filesystem_error& e) {
    fs::remove(target, ignored);
    throw InputError(path.string() + ": cannot be written: " + e.code().message());
  } catch (...) {
    if (!direct) fs::remove(target, ignored);
    throw;
  }
}

void write_atomically(const fs::path& path, std::string_view text) {
  write_atomically(
      path, [&](std::ostream& out) { out.write(text.data(), std::streamsize(text.size())); });
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    throw InputError(path.string() + ": is a directory; expected a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputError(path.string() + ": cannot be read: " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) throw InputError(path.string() + ": reading failed");
  return std::move(text).str();
}

}  // namespace mxref
