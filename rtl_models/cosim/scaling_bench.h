#pragma once
// The bench of the E8M0 scaling unit: all pairs of scale codes, under all pairs of formats, with
// sums that lie on and beside every corner of the rounding, and random ones; each result is
// compared with the definition (ARITHMETIC §3).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rtl_models/cosim/scaling_unit.h"

namespace mxref {

struct ScalingBenchOptions {
  ScalingDesign design = {};
  uint64_t seed = 1;
  int64_t sums = 1;   // of each pair of scale codes and pair of formats, at least 1
  double gaps = 0.5;  // share of the time, 0 … 1, in which nothing comes every second cycle
  std::filesystem::path waves = {};  // FST of a failing run's last cycles; empty: none
};
struct ScalingBenchResult {
  int64_t cycles = 0;
  int64_t compared = 0;
  int64_t mismatches = 0;  // the run stops at the first
  std::string coverage_data;
  std::string failure;  // seed, cycle, operands, expected, got
};
// make: the unit, in its state before a reset. fault: a number of rtl_models/rtl/faults.h, 0 for
// none.
ScalingBenchResult run_scaling_bench(const ScalingBenchOptions& options,
                                     const std::function<std::unique_ptr<ScalingUnit>()>& make,
                                     uint8_t fault = 0);

// The faults that lie in the unit, by their numbers.
std::vector<uint8_t> scaling_faults();

}  // namespace mxref
