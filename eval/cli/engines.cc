#include "eval/cli/engines.h"

#if MXREF_HAS_RTL
#include "emu/systemc/systemc_array.h"
#endif

namespace mxref {

EngineTable make_engine_table() {
  return {
    {"ref", make_ref_engine},
#if MXREF_HAS_RTL
        {"systemc", make_systemc_engine},
#endif
  };
}

}  // namespace mxref
