#pragma once

#include <string>
#include <vector>

#include "emu/array_port.h"

namespace mxref {

// The parameters of mx_mac_array.sv that make it this design: "ROWS=8", "A_FORMATS=7'b0000001", …
// Throws UsageError where the RTL has no such array.
std::vector<std::string> rtl_parameters(const ArrayDesign& design);

}  // namespace mxref
