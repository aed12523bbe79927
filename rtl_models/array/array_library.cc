// The Verilated array behind the functions that the program looks for (emu/array_library.h).

#include "emu/array_library.h"

#include "design.h"
#include "rtl_models/engine/verilated_model.h"
#include "Varray.h"

int mxref_array_version() { return mxref::array_library_version; }
const char* mxref_array_design() { return array_design; }
mxref::ArrayPort* mxref_array_make(const mxref::ArrayDesign* design) {
  return mxref::make_verilated_bench_array<Varray>(*design).release();
}
