#pragma once
// The SystemC models of the quantizer and the dequantizer behind the pins of emu/conversion_port.h.
// No SystemC header is needed to use them.

#include <memory>

#include "emu/conversion_port.h"

namespace mxref {

// A model with a simulation of its own, as make_systemc_array.
std::unique_ptr<ConversionPort> make_systemc_conversion(const ConversionDesign& design);

}  // namespace mxref
