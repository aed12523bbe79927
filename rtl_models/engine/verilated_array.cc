#include "rtl_models/engine/verilated_array.h"

#include "rtl_models/engine/verilated_model.h"
#include "Varray_8x8.h"

namespace mxref {

const ArrayDesign& engine_array_design() {
  static const ArrayDesign design = [] {
    ArrayDesign d{.shape = {8, 8}, .formats_a = {}, .formats_b = {}};
    for (const char* name : {"mxfp4", "mxfp8_e4m3"})
      d.formats_a.set(format_number(block_format(name)));
    d.formats_b = d.formats_a;
    return d;
  }();
  return design;
}

void require_place_for_coverage() { temporary_coverage_file(); }

std::unique_ptr<ArrayPort> make_engine_array() {
  return std::make_unique<VerilatedArray<ArrayPort, Varray_8x8>>(engine_array_design());
}

}  // namespace mxref
