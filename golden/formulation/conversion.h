#pragma once
// The conversions between binary32 and MX (ARITHMETIC.md §2, §6) by tensor operations alone: a
// formulation of its own beside emu/quantize.h, with the same bits. Slow, and written to be read.

#include <ATen/core/Tensor.h>

#include "emu/block.h"

namespace mxref::formulation {

// x (…,K) float32 → the tensor. Throws UsageError on a scale rule or rounding that is not computed
// here; the conversion is one that check_conversion (emu/quantize.h) lets pass.
MxTensor quantize(const at::Tensor& x, const Conversion& conversion);

// RNE32(code · scale · g / p), (…,K) float32.
at::Tensor dequantize(const MxTensor& q);

}  // namespace mxref::formulation
