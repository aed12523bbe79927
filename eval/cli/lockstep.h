#pragma once
// The rows "cosim" and "fault" of a record: what `mxref cosim` and the main job run.

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace mxref {

// A lock-step run at every built shape, then each planted fault. Throws UsageError in a build
// without the RTL.
std::vector<nlohmann::ordered_json> lockstep_rows(
    uint64_t seed, const std::function<void(int64_t done, int64_t total)>& progress);

}  // namespace mxref
