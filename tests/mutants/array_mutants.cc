#include "rtl_models/cosim/lock_step.h"
#include "rtl_models/engine/verilated_model.h"
#include "tests/mutants/mutant.h"
#include MXREF_MODEL_HEADER

namespace mxref {

MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed) {
  const ArrayDesign design{.shape = {2, 2}, .datapath = &datapath(MXREF_DESIGN)};
  const CosimOptions options{.blocks = blocks, .seed = seed};
  CosimResult result;
  LockStep bench(options,
                 std::make_unique<Mutant<VerilatedBenchArray<MXREF_MODEL>>>(mutant, design));
  bench.run(result, [&] { return result.blocks >= blocks; });
  return {.cycles = result.cycles, .compared = result.compared, .failure = result.failure};
}

}  // namespace mxref
