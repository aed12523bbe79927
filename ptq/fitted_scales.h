#pragma once
// Scales by the error of rounding, for a format with a tensor scale (nvfp4): MR-GPTQ's search
// (Egiazarian et al., arXiv 2509.23202, §4).

#include <span>

#include "emu/block.h"

namespace mxref {

// w (N,K), finite → codes by nearest, ties to even, on scales of the least Σ(w - q)² that is found:
// block scales under the tensor's, each among the codes near the format's own, then the tensor's
// under those of the blocks, in turns, at most `turns`; it ends where a turn gains nothing. 0
// turns: the format's own scales. Bits do not depend on the number of threads. conversion: of a
// format with a tensor scale, one for the tensor; its rounding is not looked at.
MxTensor fit_scales(std::span<const float> w, int64_t N, const Conversion& conversion, int turns);

}  // namespace mxref
