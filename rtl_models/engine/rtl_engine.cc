#include "rtl_models/engine/rtl_engine.h"

#include "emu/array_engine.h"
#include "rtl_models/engine/verilated_array.h"

namespace mxref {

std::unique_ptr<Engine> make_rtl_engine() {
  return make_array_engine("rtl", engine_array_shape, /*arrays=*/2, make_engine_array);
}

}  // namespace mxref
