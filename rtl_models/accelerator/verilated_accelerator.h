#pragma once
// The Verilated accelerator that was built, behind the pins of emu/accelerator/port.h.

#include <memory>

#include "emu/accelerator/port.h"

namespace mxref {

// With assertions and faults.
class BenchAccelerator : public accelerator::Port {
 public:
  // Cycles in which an assertion failed, since it was made.
  virtual int64_t assertions_failed() const = 0;
};

// 2x3, all formats, `fused`, three blocks deep.
const accelerator::Design& bench_accelerator_design();
std::unique_ptr<BenchAccelerator> make_bench_accelerator();

}  // namespace mxref
