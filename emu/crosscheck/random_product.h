#pragma once
// Seeded random operands of a whole product, special values and scale extremes among them.

#include "emu/crosscheck/crosscheck.h"
#include "emu/vectors/stimulus.h"

namespace mxref {

// Seeds run through the kinds of product: blocks, each pair with a C that suits it (ties,
// cancellation, …); chains of several blocks, the last one short, with C; the same without C, with
// pre-scales; and chains as long as a model's, finite, with C.
enum class ProductKind { blocks, chains, chains_without_c, long_chains };
struct ProductShape {
  ProductKind kind;
  int64_t M, N, K;
};
Stimulus product_stimulus(uint64_t seed);
// The first draws of the stimulus.
ProductShape product_shape(uint64_t seed, int block, Stimulus& stimulus);

// The seed alone chooses shape, block length, pre-scales, C and every value.
GivenProduct random_product(const BlockFormat& a, const BlockFormat& b, uint64_t seed);

// Its parts: an operand (rows,K), and a C (M,N) that suits the first blocks of a and b.
MxTensor random_operand(Stimulus& stimulus, const Conversion& conversion, int64_t rows, int64_t K);
std::vector<float> random_c(Stimulus& stimulus, const MxTensor& a, const MxTensor& b);

}  // namespace mxref
