#pragma once
// Test data that lies beside the project, not in it: ../shared/data, or the folder MXREF_DATA
// names.

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace mxref {

// The file or folder of this name. Where it is absent the test says that it skips, and why.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) {
  const char* folder = std::getenv("MXREF_DATA");
  const auto path =
      std::filesystem::path(folder ? folder : MXREF_SOURCE_DIR "/../shared/data") / name;
  if (std::filesystem::exists(path)) return path;
  BOOST_TEST_MESSAGE("skipped: no test data at " << path.string() << " (MXREF_DATA names another)");
  return std::nullopt;
}

// A file of an asset that `mxref assets get NAME` has fetched.
inline std::optional<std::filesystem::path> fetched_asset(const std::string& name,
                                                          const std::string& file) {
  const char* cache = std::getenv("MXREF_CACHE");
  const char* home = std::getenv("HOME");
  const auto folder = cache ? std::filesystem::path(cache)
                            : std::filesystem::path(home ? home : "/") / ".cache/mxref";
  if (std::filesystem::exists(folder / name / file)) return folder / name / file;
  BOOST_TEST_MESSAGE("skipped: no " << (folder / name / file).string() << " of the asset " << name);
  return std::nullopt;
}

}  // namespace mxref
