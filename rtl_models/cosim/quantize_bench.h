#pragma once
// The bench of the quantizer and the dequantizer: a Verilated unit gets blocks with gaps,
// back-pressure and resets in the middle. Its pins are compared with those of the SystemC model in
// every cycle, every block that comes out with the definition (emu/conversion_port.h).

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "emu/formats.h"
#include "rtl_models/cosim/quantize_models.h"

namespace mxref {

struct ConversionBenchOptions {
  const BlockFormat* format = nullptr;  // nullptr: drawn block by block
  int64_t blocks = 40'000;  // of each model, at least; 0: until all directed ones are through
  // Share of the time, 0 … 1, in which results are held back and blocks come with gaps.
  double backpressure = 0.5;
  uint64_t seed = 1;
  std::filesystem::path waves = {};  // FST of a failing run's last cycles; empty: none
};

struct ConversionBenchResult {
  std::string model;
  int64_t cycles = 0;
  int64_t stalled_cycles = 0;  // a block waited, before the unit or behind it
  int64_t blocks = 0;          // that came out and were compared
  int64_t elements = 0;        // in them
  int64_t dropped = 0;         // blocks that a reset found inside
  int64_t mismatches = 0;      // signals, all of the cycle at which the run was stopped
  std::string coverage_data;   // of a covered model: what parse_coverage reads
  // Of the first mismatch: seed, cycle, signal, expected, got, and how the block was converted.
  std::string failure;

  bool passed() const { return mismatches == 0; }
};
// fault: a row of quantize_faults, from 1; 0 for none. Throws UsageError where an option is out of
// range or the model has not the format.
ConversionBenchResult run_conversion_bench(const ConversionBuild& build,
                                           const ConversionBenchOptions& options,
                                           uint8_t fault = 0);

}  // namespace mxref
