#pragma once
// The Verilated array as an engine (emu/engine.h).

#include <memory>

#include "emu/engine.h"

namespace mxref {

std::unique_ptr<Engine> make_rtl_engine();

}  // namespace mxref
