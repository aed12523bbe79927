#pragma once
// How the products of all of K meet the accumulator, on every datapath (ARITHMETIC.md §4).

#include "emu/datapaths.h"
#include "golden/formulation/operand.h"

namespace mxref::formulation {

// acc (M,N): C, or zero → what is left in it after a (M,K) and b (N,K) in blocks of `block`.
at::Tensor accumulate(const Datapath& datapath, const Operand& a, const Operand& b, int64_t block,
                      at::Tensor acc);

// The same of the kind `aligned`, in a file of its own.
at::Tensor accumulate_aligned(const Datapath& datapath, const Operand& a, const Operand& b,
                              at::Tensor acc);

}  // namespace mxref::formulation
