#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

namespace mxref {

// A failing run is repeated for its waves, which begin this long before it ended.
inline int64_t first_cycle_of_waves(int64_t cycles) {
  constexpr int64_t cycles_of_waves = 200;
  return std::max<int64_t>(0, cycles - cycles_of_waves);
}

// "x.fst" of one of several runs: "x-what.fst". Empty stays empty.
inline std::filesystem::path waves_of(const std::filesystem::path& file, const std::string& what) {
  if (file.empty()) return file;
  return file.parent_path() / (file.stem().string() + "-" + what + file.extension().string());
}

}  // namespace mxref
