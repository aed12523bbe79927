#pragma once

#include <algorithm>
#include <cstdint>

namespace mxref {

// A failing run is repeated for its waves, which begin this long before it ended.
inline int64_t first_cycle_of_waves(int64_t cycles) {
  constexpr int64_t cycles_of_waves = 200;
  return std::max<int64_t>(0, cycles - cycles_of_waves);
}

}  // namespace mxref
