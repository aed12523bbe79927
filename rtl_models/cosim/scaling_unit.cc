#include "rtl_models/cosim/scaling_unit.h"

#include "rtl_models/cosim/verilated_scaling_unit.h"
#include "Ve8m0_scaling_unit.h"
#include "Ve8m0_scaling_unit_rz_ftz.h"

namespace mxref {

template <typename Model>
static std::unique_ptr<ScalingUnit> make() {
  return std::make_unique<VerilatedScalingUnit<Model>>();
}

const std::vector<ScalingSource>& scaling_units() {
  static const std::vector<ScalingSource> sources{
      {"e8m0_scaling_unit", {}, make<Ve8m0_scaling_unit>},
      {"e8m0_scaling_unit of 53 bits, rz, ftz",
       {.sum_bits = 53, .rounding = SumRounding::rz, .ftz = true},
       make<Ve8m0_scaling_unit_rz_ftz>},
  };
  return sources;
}

}  // namespace mxref
