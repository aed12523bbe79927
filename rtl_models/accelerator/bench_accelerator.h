#pragma once
// The Verilated accelerators that were built, behind the pins of emu/accelerator/port.h.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "emu/accelerator/port.h"

namespace mxref {

// With assertions, faults and functional coverage.
class BenchAccelerator : public accelerator::Port {
 public:
  // Cycles in which an assertion failed, since it was made.
  virtual int64_t assertions_failed() const = 0;
  // As BenchArray's.
  virtual void open_waves(const std::filesystem::path& path) = 0;
  virtual std::string coverage() = 0;
};

// An accelerator that was built, and how to make one.
struct AcceleratorSource {
  accelerator::Design design;
  std::unique_ptr<BenchAccelerator> (*make_of)(const accelerator::Design& design);
  std::unique_ptr<BenchAccelerator> make() const { return make_of(design); }
};
// 2×3, three blocks deep, on a datapath of every kind, `fused` first; 5×9 of 17 blocks on `fused`.
// All formats but, of B, mxint8: one that is not built.
const std::vector<AcceleratorSource>& bench_accelerators();
// Those that collect line and toggle coverage too, on `fused` and `sequential`.
const std::vector<AcceleratorSource>& covered_accelerators();

}  // namespace mxref
