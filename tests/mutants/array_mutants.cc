#include "rtl_models/cosim/lock_step.h"
#include "rtl_models/engine/verilated_model.h"
#include "tests/mutants/mutant.h"
#include MXREF_MODEL_HEADER

namespace mxref {

// The datapath of a design of netlist.py: a preset, or a variant.
static const Datapath& datapath_of(std::string_view design) {
  if (design == "blockwise_ftz") return datapath(R"({"kind":"blockwise","ftz":true})");
  if (design == "aligned_groups")
    return datapath(R"({"kind":"aligned","terms":64,"group":16,"fraction_bits":35,)"
                    R"("e_zero":-133,"output":"rne","ftz":true})");
  return datapath(design);
}

MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed) {
  const ArrayDesign design{.shape = {2, 2}, .datapath = &datapath_of(MXREF_DESIGN)};
  const CosimOptions options{.blocks = blocks, .seed = seed};
  CosimResult result;
  LockStep bench(options,
                 std::make_unique<Mutant<VerilatedBenchArray<MXREF_MODEL>>>(mutant, design));
  bench.run(result, [&] { return result.blocks >= blocks; });
  return {.cycles = result.cycles, .compared = result.compared, .failure = result.failure};
}

}  // namespace mxref
