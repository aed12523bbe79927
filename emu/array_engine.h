#pragma once
// The engine over simulated arrays (emu/array_port.h): `rtl` and `systemc` are rows of it.

#include <functional>
#include <memory>
#include <string_view>

#include "emu/array_port.h"
#include "emu/engine.h"

namespace mxref {

// A product's tiles are cut into `arrays` ranges of about the same length, whatever the number of
// threads, so that results and cost do not depend on it; the ranges run on as many threads as
// threads() says, each on an array of its own. The cost adds the cycles of all arrays.
// `make_array` is called up to `arrays` times, by one thread.
std::unique_ptr<Engine> make_array_engine(std::string_view name, ArrayShape shape, int arrays,
                                          std::function<std::unique_ptr<ArrayPort>()> make_array);

}  // namespace mxref
