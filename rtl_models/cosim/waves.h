#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mxref {

// A failing run is repeated for its waves, which begin this long before it ended.
inline int64_t first_cycle_of_waves(int64_t cycles) {
  constexpr int64_t cycles_of_waves = 200;
  return std::max<int64_t>(0, cycles - cycles_of_waves);
}

// "x.fst" of one of several runs: "x-what.fst", in which what a file's name should not have is '_'.
// Empty stays empty.
inline std::filesystem::path waves_of(const std::filesystem::path& file, std::string_view what) {
  if (file.empty()) return file;
  std::string name = file.stem().string() + "-";
  for (const char c : what)
    if (std::isalnum(uint8_t(c)) || c == '-')
      name += c;
    else if (name.back() != '_')
      name += '_';
  return file.parent_path() / (name + file.extension().string());
}

}  // namespace mxref
