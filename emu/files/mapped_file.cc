#include "emu/files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "emu/error.h"

namespace mxref {

MappedFile map_file(const std::filesystem::path& path) {
  // O_NONBLOCK: a pipe must be refused, not waited for.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) throw InputError(path.string() + ": cannot be read: " + std::strerror(errno));
  struct stat info = {};
  const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const size_t size = regular ? size_t(info.st_size) : 0;
  void* address = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0) : nullptr;
  const int error = errno;
  close(fd);
  if (!regular) throw InputError(path.string() + ": is no regular file");
  if (address == MAP_FAILED)
    throw InputError(path.string() + ": cannot be mapped: " + std::strerror(error));
  if (size == 0) return {};
  return {{static_cast<const std::byte*>(address), size},
          {address, [size](void* p) { munmap(p, size); }}};
}

}  // namespace mxref
