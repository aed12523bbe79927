#pragma once
// The engine `torch`: the bits of the definition by libtorch, of a construction of its own, for
// every format and datapath. Elements are dequantized to float64, where products are exact; a sum
// that needs more is held in two float64 or in digits to the base 2^16, and each rounding to
// binary32 is made single by rounding to odd first. Nothing of emu's arithmetic is called.

#include <memory>

#include "emu/engine.h"

namespace mxref {

std::unique_ptr<Engine> make_torch_engine();

}  // namespace mxref
