#pragma once
// The SystemC model of the accelerator behind the pins of emu/accelerator/port.h. No SystemC header
// is needed to use it.

#include <memory>

#include "emu/accelerator/port.h"

namespace mxref {

// A model of its own, as make_systemc_array().
std::unique_ptr<accelerator::Port> make_systemc_accelerator(const accelerator::Design& design);

}  // namespace mxref
