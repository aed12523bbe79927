#pragma once
// The lock-step bench: the Verilated array and its SystemC model get the same random stimulus,
// every cycle's outputs are compared with each other, every block and every result with the
// definition.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/array_port.h"
#include "emu/formats.h"
#include "rtl_models/cosim/coverage.h"

namespace mxref {

struct CosimOptions {
  // An array that `mxref array` built, in place of those of the build; empty: none.
  std::string array_library = {};
  // Which of bench_arrays(); 0 and null: any.
  ArrayShape shape = {};
  const Datapath* datapath = nullptr;
  const BlockFormat* format_a = nullptr;  // nullptr: drawn tile by tile
  const BlockFormat* format_b = nullptr;
  int64_t blocks = 1'000'000;  // block products, at least, all arrays together
  // Share of the time, 0 … 1, in which results are held back and beats come with gaps.
  double backpressure = 0.5;
  uint64_t seed = 1;
  std::filesystem::path waves = {};  // FST of a failing run's last cycles; empty: none
  std::function<void(int64_t done, int64_t total)> progress = {};  // block products
};

struct CosimResult {
  std::string format_a, format_b;  // names of those the array has; "any"
  std::string datapath;
  ArrayShape shape;
  int64_t cycles = 0;
  int64_t stalled_cycles = 0;  // a beat or a row of results waited
  int64_t compared = 0;        // transfers: beats and rows
  int64_t blocks = 0;          // block products taken
  int64_t mismatches = 0;      // signals, all of the cycle at which the run was stopped
  int64_t assertions_failed = 0;
  std::string coverage_data;  // of an array that collects it: what parse_coverage reads
  Coverage coverage;          // of these arrays together, the same in each result
  ArrayShape coverage_shape;
  // Of the first mismatch: seed, cycle, signal, expected, got, the command that repeats it.
  std::string failure;
  std::filesystem::path waves;  // of a run that failed

  bool passed() const { return mismatches == 0 && assertions_failed == 0; }
};
// One result for each array, then one for each small array that collects coverage: of as many
// blocks, or of covered_cycles. Throws UsageError where no such array was built
// or an option is out of range.
std::vector<CosimResult> run_cosim(const CosimOptions& options);

struct FaultResult {
  std::string name;
  std::string needs =
      {};  // what the options keep out, without which the fault cannot show; not run
  bool caught = false;
  int64_t cycles = 0;        // until it was caught, or all that were run
  std::string failure = {};  // what caught it
  std::filesystem::path waves = {};
};
// Plants each of the RTL's faults, or the one called `only`, in the first of the arrays, and runs
// the bench until it is caught or has done `options.blocks`. Throws UsageError on an unknown name,
// and where `only` cannot show.
std::vector<FaultResult> run_faults(const CosimOptions& options, std::string_view only = {});

}  // namespace mxref
