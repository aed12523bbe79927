#pragma once
// Engines with a known fault: a comparison that passes them is worth nothing.

#include "emu/engine.h"

namespace mxref {

// Each says in `what` what is wrong with it.
const EngineTable& control_engines();

}  // namespace mxref
