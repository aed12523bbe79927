#pragma once
// Seeded random operands of a whole product, special values and scale extremes among them.

#include "emu/crosscheck/crosscheck.h"
#include "emu/vectors/stimulus.h"

namespace mxref {

// The seed alone chooses shape, block length, pre-scales, C and every value. seed % 4:
// 0, 1: many pairs of single blocks, each with a C that suits it (ties, cancellation, …);
// 2: chains of several blocks, the last one short, with C;
// 3: the same without C, with pre-scales, and any block length.
GivenProduct random_product(const BlockFormat& a, const BlockFormat& b, uint64_t seed);

// Its parts: an operand (rows,K), and a C (M,N) that suits the first blocks of a and b.
MxTensor random_operand(Stimulus& stimulus, const Conversion& conversion, int64_t rows, int64_t K);
std::vector<float> random_c(Stimulus& stimulus, const MxTensor& a, const MxTensor& b);

}  // namespace mxref
