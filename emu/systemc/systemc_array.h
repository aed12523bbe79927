#pragma once
// The SystemC model behind the pins of emu/array_port.h, and the engine over it. No SystemC header
// is needed to use it.

#include <memory>

#include "emu/array_port.h"
#include "emu/engine.h"

namespace mxref {

// A model of its own: each has its own simulation, so that several live side by side. All of them
// belong to one thread.
std::unique_ptr<ArrayPort> make_systemc_array(const ArrayDesign& design);

// The engine `systemc`: products cut into tiles for one such array, of the datapath that is asked
// for.
std::unique_ptr<Engine> make_systemc_engine();

}  // namespace mxref
