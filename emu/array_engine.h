#pragma once
// The engine over simulated arrays (emu/array_port.h): `rtl` and `systemc` are rows of it.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "emu/array_port.h"
#include "emu/engine.h"

namespace mxref {

// Arrays of one design that can be made.
struct ArraySource {
  ArrayDesign design;
  std::function<std::unique_ptr<ArrayPort>()> make;
};
// The source of an array for a × b on a datapath, which lives as long as the engine: the same for
// the same product. nullptr where there is none, and `reason` why.
using ArrayChoice =
    std::function<const ArraySource*(const BlockFormat& a, const BlockFormat& b, int block,
                                     const Datapath& datapath, std::string& reason)>;

// A product's tiles are cut into `arrays` ranges of about the same length, whatever the number of
// threads, so that results and cost do not depend on it; the ranges run on as many threads as
// threads() says, each on an array of its own. The cost adds the cycles of all arrays.
// Arrays are made by one thread, up to `arrays` of each source.
std::unique_ptr<Engine> make_array_engine(std::string_view name, int arrays, ArrayChoice choose);

}  // namespace mxref
