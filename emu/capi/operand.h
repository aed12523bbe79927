#pragma once
// Quantized tensors as plain arrays, as they cross the C interfaces.

#include <span>

#include "emu/block.h"
#include "emu/capi/engine_plugin.h"

namespace mxref {

// Refers to the tensor's arrays.
mxref_operand operand_of(const MxTensor& tensor);

// A copy of the arrays. Throws UsageError that names the field where it is missing, or is nothing
// that ARITHMETIC.md knows: format, block length, a code above the format's bits, a tensor scale
// that is not finite and above 0, a pre-scale that is not in lowest terms.
MxTensor tensor_of(const mxref_operand& operand);

// Throws UsageError where there is no tensor of this shape.
void check_shape(int64_t rows, int64_t cols);
// Throws UsageError where a code is above the element's bits.
void check_codes(const ElementFormat& element, std::span<const uint8_t> codes);

}  // namespace mxref
