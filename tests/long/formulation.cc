// The torch formulation against the definition: every pair of formats on every datapath, a datapath
// and a seed a slice.

#include "golden/formulation/torch_engine.h"

#include <algorithm>

#include "emu/crosscheck/crosscheck.h"
#include "tests/every_datapath.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t seeds = 3;

CrosscheckReport report_of(int64_t slice) {
  const auto count = int64_t(every_datapath().size());
  return crosscheck({{"torch", make_torch_engine}},
                    {.datapaths = {every_datapath()[size_t(slice % count)]},
                     .seed = 1000 * uint64_t(1 + slice / count)});
}

SliceResult run(int64_t slice) { return result_of(report_of(slice)); }

bool controls_are_caught() {
  const auto controls = report_of(0).controls;
  return std::ranges::all_of(controls, &CrosscheckControl::caught);
}

}  // namespace

Part formulation_part() {
  return {"formulation",
          "the engine torch against the definition: every pair of formats on every datapath",
          seeds * int64_t(every_datapath().size()), run, controls_are_caught};
}

}  // namespace mxref::long_suite
