#include "eval/cli/engines.h"

#if MXREF_HAS_RTL
#include "emu/systemc/systemc_array.h"
#endif

namespace mxref {

EngineTable make_engine_table() {
  EngineTable engines = {
      {"kernel", make_kernel_engine},
      {"ref", make_ref_engine},
  };
#if MXREF_HAS_RTL
  engines.push_back({"systemc", make_systemc_engine});
#endif
  return engines;
}

}  // namespace mxref
