// The lock-step bench of RTL and SystemC model, at every built shape, a seed a slice.

#include "rtl_models/cosim/cosim.h"

#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

SliceResult run(int64_t slice) {
  SliceResult result;
  for (const CosimResult& r : run_cosim({.seed = uint64_t(slice) + 1000})) {
    result.compared += r.compared;
    result.mismatches += r.mismatches + r.assertions_failed;
    if (result.first_mismatch.empty()) result.first_mismatch = r.failure;
  }
  return result;
}

}  // namespace

Part cosim_part() {
  return {"cosim",
          "RTL and SystemC in lock-step, 100 seeds of a million block products",
          100,
          run,
          [] { return run_faults({}, "tie_away").at(0).caught; },
          false};  // SystemC has one current simulation
}

}  // namespace mxref::long_suite
