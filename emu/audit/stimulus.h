#pragma once
// Seeded inputs in which the cases that simulators get wrong are frequent.

#include "emu/audit/conversion.h"
#include "emu/audit/product.h"

namespace mxref {

// K a multiple of the block length, or any: then a row's last block may be short.
enum class RowEnds { any, whole_blocks };

// Operands of these conversions' formats, block length and pre-scales, of a shape and kind as the
// crosscheck's (ProductKind).
ProductInput audit_product(const Conversion& a, const Conversion& b, uint64_t seed, RowEnds ends);

// Blocks of values: just below, at and above powers of two, ties between elements and their
// neighbours, the largest element and what is above it, subnormal binary32, extremes, zeros of both
// signs, NaN and Inf, any bits.
ConversionInput audit_conversion(const Conversion& conversion, uint64_t seed, RowEnds ends);

}  // namespace mxref
