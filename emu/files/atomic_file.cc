#include "emu/files/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "emu/error.h"

namespace mxref {

namespace fs = std::filesystem;

namespace {

// /dev/stdout and its like: links to what this process has open already, maybe a regular file.
bool is_own_descriptor(const fs::path& path) {
  std::error_code ignored;
  return fs::canonical(path.parent_path(), ignored).string().starts_with("/proc/") ||
         fs::read_symlink(path, ignored).string().starts_with("/proc/");
}

// Where the bytes go in the end, and whether they go there at once.
struct Destination {
  fs::path path;
  bool direct;
};
Destination destination(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) refuse_file(path, "is a directory; expected a file name");
  if (fs::exists(path, ignored) && (!fs::is_regular_file(path, ignored) || is_own_descriptor(path)))
    return {path, true};
  fs::path end = path;
  constexpr int most_links = 40;  // as many as Linux follows
  for (int i = 0; i < most_links && fs::is_symlink(end, ignored); ++i)
    end = end.parent_path() / fs::read_symlink(end, ignored);
  if (fs::is_symlink(end, ignored)) refuse_file(path, "is a link that leads to no file");
  return {end, false};
}

// A file in the folder of `path` that has no name yet: it is gone where nothing gives it one.
class UnnamedFile {
 public:
  explicit UnnamedFile(const fs::path& path) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
    descriptor_ = open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  }
  ~UnnamedFile() {
    if (exists()) close(descriptor_);
  }
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  bool exists() const { return descriptor_ >= 0; }  // not every file system has such files
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  bool give_name(const fs::path& name) const {
    return linkat(AT_FDCWD, path().c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  }

 private:
  int descriptor_;
};

void write_stream(const fs::path& path, const fs::path& target,
                  const std::function<void(std::ostream&)>& fill) {
  std::fflush(stdout);  // what was printed before comes before, should this be the same file
  errno = 0;
  std::ofstream out(target, std::ios::binary | std::ios::app);  // cuts nothing off where direct
  if (!out) refuse_file(path, std::string("cannot be written: ") + std::strerror(errno));
  fill(out);
  out.close();
  if (!out)
    refuse_file(path, std::string("writing failed: ") +
                          (errno ? std::strerror(errno) : "the stream went bad"));
}

}  // namespace

void write_atomically(const fs::path& path, const std::function<void(std::ostream&)>& fill) {
  const Destination to = destination(path);
  if (to.direct) return write_stream(path, to.path, fill);
  fs::path partial = to.path;
  partial += ".partial-" + std::to_string(getpid());
  std::error_code error;
  fs::remove(partial, error);
  try {
    const UnnamedFile unnamed(to.path);
    write_stream(path, unnamed.exists() ? fs::path(unnamed.path()) : partial, fill);
    if (unnamed.exists() && !unnamed.give_name(partial))
      refuse_file(path, std::string("cannot be written: ") + std::strerror(errno));
    fs::rename(partial, to.path, error);
    if (error) refuse_file(path, "cannot be written: " + error.message());
  } catch (...) {
    fs::remove(partial, error);
    throw;
  }
}

void require_writable(const fs::path& path) {
  if (path.empty()) return;
  const Destination to = destination(path);
  const fs::path folder = to.path.has_parent_path() ? to.path.parent_path() : ".";
  const char* checked = to.direct ? to.path.c_str() : folder.c_str();
  if (access(checked, W_OK) != 0)
    refuse_file(path, std::string("cannot be written: ") + std::strerror(errno));
  if (!to.direct && !fs::is_directory(folder))
    refuse_file(path, "cannot be written: '" + folder.string() + "' is no directory");
}

void write_atomically(const fs::path& path, std::string_view text) {
  write_atomically(
      path, [&](std::ostream& out) { out.write(text.data(), std::streamsize(text.size())); });
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_regular_file(path, error))
    refuse_file(path, "is no regular file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse_file(path, std::string("cannot be read: ") + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) refuse_file(path, "reading failed");
  return std::move(text).str();
}

}  // namespace mxref
