#pragma once
// A product on the TLM target, by the driver in an initiator of its own: the example of a virtual
// platform. No SystemC header is needed to use it.

#include <span>
#include <vector>

#include "emu/accelerator/driver.h"
#include "emu/accelerator/port.h"

namespace mxref {

struct TlmLayer {
  std::vector<float> d;    // (M,N)
  double nanoseconds = 0;  // of simulated time, at a period of one
  int64_t transactions = 0;
  int64_t direct_accesses = 0;  // words that went through a DMI pointer
  accelerator::Driver::Counters counters;
};
// a (M,K), b (N,K), c (M,N) or empty. Throws as Driver::multiply.
TlmLayer run_layer_on_tlm(const accelerator::Design& design, const MxTensor& a, const MxTensor& b,
                          std::span<const float> c, bool uses_dmi);

}  // namespace mxref
