#pragma once
// Engines with a known fault: a comparison that passes them is worth nothing.

#include "emu/engine.h"

namespace mxref {

// "planted_fault" (one bit of one result flipped), "all_zeros", "rounds_twice" (each block's
// contribution is rounded before it is added).
const EngineTable& control_engines();

}  // namespace mxref
