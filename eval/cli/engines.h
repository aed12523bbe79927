#pragma once
// The one table of engines, made here and handed down.

#include "emu/engine.h"

namespace mxref {

// The rows of this build; nothing is loaded or built before an engine is made.
EngineTable make_engine_table();

// The control of the engine `rtl`: the RTL with one of its planted faults. No rows in a build
// without the RTL.
EngineTable make_rtl_controls();

}  // namespace mxref
