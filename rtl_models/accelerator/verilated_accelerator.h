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

// 2x3, `fused`, three blocks deep; all formats but, of B, mxint8: one that is not built.
const accelerator::Design& bench_accelerator_design();
std::unique_ptr<BenchAccelerator> make_bench_accelerator();

}  // namespace mxref
