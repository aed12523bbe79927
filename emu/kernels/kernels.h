#pragma once
// Vector kernels behind emu/quantize.h and the engine `kernel`. One file per instruction set, each
// bit-equal to its _ref twin; current_isa() chooses.

#include <cstdint>

#include "emu/block.h"
#include "emu/isa.h"
#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {

const InstructionSet& instruction_set(Isa isa);

// x (rows,K) → codes (rows,K), scales (rows, ceil(K/block)). Same bits as quantize_block_ref on
// every block.
void quantize_rows(const float* x, int64_t rows, int64_t K, const Conversion& conversion,
                   uint8_t* codes, uint8_t* scales);

}  // namespace mxref::kernels
