#include <algorithm>

#include "emu/systemc/systemc_accelerator.h"
#include "rtl_models/accelerator/lockstep.h"
#include "rtl_models/accelerator/verilated_model.h"
#include "rtl_models/cosim/bench_units.h"
#include "tests/mutants/mutant.h"
#include MXREF_MODEL_HEADER

namespace mxref {

// As netlist.py makes it, and as one of the bench's own.
static accelerator::Design design_of_mutants() {
  accelerator::Design design{.array = {.shape = {2, 3}, .datapath = &datapath("sequential")},
                             .depth = 3};
  design.array.formats_b.reset(format_number(block_format("mxint8")));
  return design;
}

MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed) {
  const accelerator::Design design = design_of_mutants();
  Mutant<VerilatedAccelerator<MXREF_MODEL>> rtl(mutant, design);
  const auto model = make_systemc_accelerator(design);
  const LockstepResult result = run_lockstep(
      rtl, *model, {.seed = seed, .cycles = std::max<int64_t>(1, blocks / blocks_per_cycle)});
  std::string failure = result.failure;
  if (failure.empty()) failure = check_long_job(rtl, 11 * result.cycles);
  return {.cycles = result.cycles, .compared = result.compared, .failure = failure};
}

}  // namespace mxref
