// Engines against the definition on random products, special values among them, a seed a slice.

#include "emu/crosscheck/crosscheck.h"

#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

CrosscheckReport report_of(int64_t slice) {
  const EngineTable engines{{"kernel", make_kernel_engine}};
  return crosscheck(engines, {.level = 2, .seed = uint64_t(slice) + 1000});
}

SliceResult run(int64_t slice) { return result_of(report_of(slice)); }

bool controls_are_caught() {
  bool caught = true;
  for (const CrosscheckControl& control : report_of(0).controls) caught &= control.caught;
  return caught;
}

}  // namespace

SliceResult result_of(const CrosscheckReport& report) {
  SliceResult result;
  for (const CrosscheckRow& row : report.rows) {
    result.compared += row.compared;
    result.mismatches += row.mismatches;
  }
  if (!report.failures.empty()) result.first_mismatch = report.failures.front();
  return result;
}

Part crosscheck_part() {
  return {"crosscheck", "the vector kernels against the definition on random products, 8 seeds", 8,
          run, controls_are_caught};
}

}  // namespace mxref::long_suite
