#include <algorithm>

#include "rtl_models/cosim/bench_units.h"
#include "rtl_models/cosim/scaling_bench.h"
#include "rtl_models/cosim/verilated_scaling_unit.h"
#include "tests/mutants/mutant.h"
#include MXREF_MODEL_HEADER

namespace mxref {

MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed) {
  const auto sums = int(std::max<int64_t>(1, blocks / blocks_per_sum));
  const ScalingBenchResult result = run_scaling_bench({.seed = seed, .sums = sums}, [mutant] {
    return std::make_unique<Mutant<VerilatedScalingUnit<MXREF_MODEL>>>(mutant);
  });
  return {.cycles = result.cycles, .compared = result.compared, .failure = result.failure};
}

}  // namespace mxref
