#include "rtl_models/cosim/scaling_unit.h"

#include "rtl_models/cosim/verilated_scaling_unit.h"
#include "Ve8m0_scaling_unit.h"

namespace mxref {

std::unique_ptr<ScalingUnit> make_scaling_unit() {
  return std::make_unique<VerilatedScalingUnit<Ve8m0_scaling_unit>>();
}

}  // namespace mxref
