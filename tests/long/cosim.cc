// The lock-step bench of RTL and SystemC model, at every built shape, a seed a slice.

#include "rtl_models/cosim/cosim.h"

#include "rtl_models/cosim/rounders.h"
#include "rtl_models/rtl/faults.h"
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

Part rounders_part() {
  return {
      "rounders",
      "the Verilated rounders on all 2^32 inputs: fp32_from_term in its narrow form, fp32_to_16",
      256,
      [](int64_t slice) {
        constexpr uint64_t inputs = uint64_t(1) << 24;
        const RounderResult r =
            run_rounders(uint64_t(slice) * inputs, uint64_t(slice + 1) * inputs);
        return SliceResult{r.compared, r.mismatches, r.first_mismatch};
      },
      [] {
        const Fault& fault = find_by_name(faults, "fault", "tie_away");
        return run_rounders(0, uint64_t(1) << 32, 65'537, uint8_t(1 + (&fault - faults.data())))
                   .mismatches > 0;
      }};
}

}  // namespace mxref::long_suite
