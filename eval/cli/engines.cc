#include "eval/cli/engines.h"

namespace mxref {

EngineTable make_engine_table() {
  return {
      {"ref", make_ref_engine},
  };
}

}  // namespace mxref
