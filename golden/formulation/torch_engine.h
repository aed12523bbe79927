#pragma once
// The engine `torch`: the bits of the definition by libtorch, of a construction of its own. Blocks
// are dequantized to float64, where every block's sum of products is exact, and each rounding to
// binary32 is made single by rounding to odd first. Nothing of emu's arithmetic is called.

#include <memory>

#include "emu/engine.h"

namespace mxref {

std::unique_ptr<Engine> make_torch_engine();

}  // namespace mxref
