#pragma once
// Vector kernels behind emu/quantize.h and the engine `kernel`. One file per instruction set, each
// bit-equal to its _ref twin; current_isa() chooses.

#include <cstdint>

#include "emu/block.h"
#include "emu/isa.h"
#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {

const InstructionSet& instruction_set(Isa isa);

// x (rows,K) → codes and scales of q, whose conversion, shape and tensor scales are set. Same bits
// as quantize_block_ref on every block. first_element: the index of x[0] in the tensor that a
// stochastic rounding counts in.
void quantize_rows(const float* x, MxTensor& q, uint64_t first_element = 0);

}  // namespace mxref::kernels
