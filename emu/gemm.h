#pragma once
// A matrix product of quantized operands: D[m,n] = C[m,n] + Σ over the blocks of K (ARITHMETIC.md
// §2, §4).

#include <span>
#include <string>

#include "emu/block.h"
#include "emu/datapaths.h"

namespace mxref {

// Why no engine computes a × b on this datapath; empty where it is a product of ARITHMETIC.md.
std::string no_product(const BlockFormat& a, const BlockFormat& b, int block,
                       const Datapath& datapath);

// Throws UsageError where K or the block lengths of a (M,K) and b (N,K) differ.
void check_operands(const MxTensor& a, const MxTensor& b);

// What is left to do after the accumulation of one element: its factor 1/(p_a·p_b) or g_a·g_b, and
// the addition of C. Without a factor C is the accumulator's start and there is no last step.
struct Factor {
  uint64_t numerator = 1;    // below 2^48
  uint64_t denominator = 1;  // below 2^32
  int exponent = 0;          // times 2^exponent
  bool is_one() const { return numerator == denominator && exponent == 0; }
};
// Of the rows m of a and n of b.
Factor factor_of(const MxTensor& a, int64_t m, const MxTensor& b, int64_t n);
// Whether a product of these has such a step: of pre-scales p_a·p_b ≠ 1, of tensor scales always.
bool has_last_step(const MxTensor& a, const MxTensor& b);
// RNE32(c + RNE32(acc · factor)), the bits of binary32.
uint32_t last_step(const Datapath& datapath, uint32_t acc, const Factor& factor, uint32_t c);

// a (M,K), b (N,K), c (M,N) or empty → d (M,N). The definition, slow. Throws UsageError as
// check_operands, and where there is no_product().
void gemm_ref(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
              std::span<const float> c, std::span<float> d);

}  // namespace mxref
