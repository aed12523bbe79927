#pragma once
// A matrix product of quantized operands: D[m,n] = C[m,n] + Σ over the blocks of K (ARITHMETIC.md
// §2, §4).

#include <span>

#include "emu/block.h"
#include "emu/datapaths.h"

namespace mxref {

// Throws UsageError where K or the block lengths of a (M,K) and b (N,K) differ.
void check_operands(const MxTensor& a, const MxTensor& b);

// The last steps of a product with pre-scales: RNE32(c + RNE32(acc / (p_a·p_b))), the bits of
// binary32. Only where p_a·p_b ≠ 1: without a pre-scale C is the accumulator's start and nothing is
// left to do.
uint32_t apply_prescales(uint32_t acc, Prescale p_a, Prescale p_b, uint32_t c);
// Whether p_a·p_b ≠ 1.
bool has_factor(Prescale p_a, Prescale p_b);

// a (M,K), b (N,K), c (M,N) or empty → d (M,N). The definition, slow. Throws UsageError as
// check_operands.
void gemm_ref(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
              std::span<const float> c, std::span<float> d);

}  // namespace mxref
