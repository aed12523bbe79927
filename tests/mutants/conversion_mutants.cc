#include <algorithm>
#include <string_view>

#include "rtl_models/cosim/bench_units.h"
#include "rtl_models/cosim/quantize_bench.h"
#include "rtl_models/cosim/verilated_conversion.h"
#include "tests/mutants/mutant.h"
#include MXREF_MODEL_HEADER

namespace mxref {

// The one that MXREF_DESIGN names.
constexpr bool is_quantizer = std::string_view(MXREF_DESIGN) == "quantizer";
template <typename Model>
using Pins = std::conditional_t<is_quantizer, Quantizer<Model>, Dequantizer<Model>>;

MutantRun run_mutant(uint16_t mutant, int64_t blocks, uint64_t seed) {
  const ConversionBuild build{
      .name = MXREF_DESIGN,
      .design = {is_quantizer ? ConversionUnit::quantizer : ConversionUnit::dequantizer},
      .make_of = [mutant](const ConversionDesign& design) {
        return std::make_unique<Mutant<VerilatedConversion<MXREF_MODEL, Pins>>>(mutant, design);
      }};
  const ConversionBenchResult result = run_conversion_bench(
      build, {.blocks = std::max<int64_t>(1, blocks / blocks_per_conversion), .seed = seed});
  return {.cycles = result.cycles, .compared = result.blocks, .failure = result.failure};
}

}  // namespace mxref
