#pragma once
// The Verilated array as an engine (emu/engine.h).

#include <memory>
#include <string_view>

#include "emu/engine.h"

namespace mxref {

std::unique_ptr<Engine> make_rtl_engine();

// The same with a fault (rtl_models/rtl/faults.h) inside the hardware, on an array of the bench:
// the control of what the engine is compared in. Throws UsageError on an unknown name.
std::unique_ptr<Engine> make_faulty_rtl_engine(std::string_view fault);

}  // namespace mxref
