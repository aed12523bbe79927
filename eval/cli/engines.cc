#include "eval/cli/engines.h"

#include "eval/cli/models_library.h"

#if MXREF_HAS_RTL
#include "emu/systemc/systemc_array.h"
#include "rtl_models/engine/rtl_engine.h"
#endif

namespace mxref {

EngineTable make_engine_table() {
  EngineTable engines = {
      {"kernel", make_kernel_engine},
      {"ref", make_ref_engine},
  };
#if MXREF_HAS_RTL
  engines.push_back({"systemc", make_systemc_engine});
  engines.push_back({"rtl", make_rtl_engine});
#endif
  if (has_models_library()) engines.push_back({"torch", make_torch_engine_of_library});
  return engines;
}

}  // namespace mxref
