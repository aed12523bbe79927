// The torch formulation against the definition: every pair of formats on every datapath, a datapath
// and a seed a slice.

#include "golden/formulation/torch_engine.h"

#include <algorithm>

#include "emu/crosscheck/crosscheck.h"
#include "tests/long/long_suite.h"

namespace mxref::long_suite {
namespace {

constexpr int64_t seeds = 3;

// The presets, each kind with flush to zero, and alignments at the ends of what may be described.
const std::vector<const Datapath*>& all_datapaths() {
  static const std::vector<const Datapath*> all = [] {
    std::vector<const Datapath*> list;
    for (const Datapath& preset : datapaths) list.push_back(&preset);
    for (
        const char* described :
        {R"({"kind":"fused","ftz":true})", R"({"kind":"blockwise","ftz":true})",
         R"({"kind":"sequential","ftz":true})", R"({"kind":"exact","ftz":true})",
         R"({"kind":"aligned","terms":1024,"group":32,"fraction_bits":44,"e_zero":-1024,"output":"rne"})",
         R"({"kind":"aligned","terms":1024,"group":8,"fraction_bits":44,"e_zero":1024,"output":"rz","ftz":true})",
         R"({"kind":"aligned","terms":1,"group":1,"fraction_bits":44,"e_zero":-133,"output":"rz13"})",
         R"({"kind":"aligned","terms":3,"group":1,"fraction_bits":1,"e_zero":0,"output":"rne"})"})
      list.push_back(&datapath(described));
    return list;
  }();
  return all;
}

CrosscheckReport report_of(int64_t slice) {
  const auto count = int64_t(all_datapaths().size());
  return crosscheck({{"torch", make_torch_engine}},
                    {.datapaths = {all_datapaths()[size_t(slice % count)]},
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
          seeds * int64_t(all_datapaths().size()), run, controls_are_caught};
}

}  // namespace mxref::long_suite
