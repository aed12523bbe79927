#pragma once
// The benches of all that is not the array: each runs a Verilated unit in lock-step with its
// SystemC model, or against the definition, and knows the faults that can be planted in it.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/formats.h"

namespace mxref {

// A block of the quantizer costs about as much as 25 block products of the array, a cycle of the
// accelerator of six elements as 10; a sum for each pair of scale codes and of formats as a
// million.
constexpr int64_t blocks_per_conversion = 25, blocks_per_cycle = 10, blocks_per_sum = 1'000'000;

struct UnitOptions {
  const BlockFormat* format = nullptr;  // nullptr: any
  // Of a run; what it is of depends on the unit. A scale of effort, as `blocks` of the array's.
  int64_t blocks = 1'000'000;
  double backpressure = 0.5;
  uint64_t seed = 1;
  std::filesystem::path waves = {};  // FST of a failing run's last cycles; empty: none
};

struct UnitResult {
  std::string_view unit;
  std::string model;  // which of the unit's builds
  int64_t cycles = 0;
  std::optional<int64_t> stalled_cycles = {};  // where the bench counts them
  int64_t compared = 0;                        // transfers
  int64_t mismatches = 0;
  std::optional<int64_t> assertions_failed = {};  // where the model has assertions
  std::string coverage_data = {};  // where the model collects it: what parse_coverage reads
  // Of the first mismatch or assertion that failed: seed, cycle, signal, expected, got.
  std::string failure = {};
  std::filesystem::path waves = {};  // where they are if it failed

  bool passed() const { return mismatches == 0 && assertions_failed.value_or(0) == 0; }
};

struct UnitFault {
  std::string_view name, what;
  std::string_view needs = {};  // what the options keep out, without which it cannot show
};

struct BenchUnit {
  std::string_view name;
  std::string_view what;
  bool takes_format, takes_backpressure;  // whether the unit heeds these options
  // One result for each build of the unit. Throws UsageError where an option is out of range.
  std::vector<UnitResult> (*run)(const UnitOptions& options);
  std::vector<UnitFault> (*faults)(const UnitOptions& options);
  // One run with a planted fault, a place in faults(): whether it was caught is whether it failed.
  UnitResult (*plant)(const UnitOptions& options, size_t fault);
};

// quantizer, dequantizer, scaling, accelerator.
const std::vector<BenchUnit>& bench_units();

}  // namespace mxref
