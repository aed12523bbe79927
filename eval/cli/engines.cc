#include "eval/cli/engines.h"

#include "eval/cli/models_library.h"

#if MXREF_HAS_RTL
#include "emu/systemc/systemc_array.h"
#include "rtl_models/engine/rtl_engine.h"
#include "rtl_models/rtl/faults.h"
#endif

namespace mxref {

EngineTable make_engine_table() {
  EngineTable engines = {
      {"kernel", make_kernel_engine},
      {"ref", make_ref_engine},
  };
#if MXREF_HAS_RTL
  engines.push_back({"systemc", make_systemc_engine, {}, /*is_slow=*/true});
  engines.push_back({"rtl", make_rtl_engine, {}, /*is_slow=*/true});
#endif
  if (has_models_library())
    engines.push_back({"torch", make_torch_engine_of_library, {}, /*is_slow=*/true});
  return engines;
}

EngineTable make_rtl_controls() {
#if MXREF_HAS_RTL
  // Of the faults one that any product of many blocks shows.
  const Fault& fault = find_by_name(faults, "fault", "sum_last_lane");
  return {{"RTL with the fault " + std::string(fault.name),
           [&fault] { return make_faulty_rtl_engine(fault.name); }, std::string(fault.what)}};
#else
  return {};
#endif
}

}  // namespace mxref
