#include "emu/kernels/kernels.h"

#include <algorithm>

#include "emu/quantize.h"

namespace mxref::kernels {

const InstructionSet& instruction_set(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return portable_kernels;
    case Isa::avx2:
      return avx2_kernels;
    case Isa::avx512vnni:
      return avx512vnni_kernels;
  }
  __builtin_unreachable();
}

void quantize_rows(const float* x, int64_t rows, int64_t K, const Conversion& conversion,
                   uint8_t* codes, uint8_t* scales) {
  const int64_t blocks = (K + conversion.block - 1) / conversion.block;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t begin = row * K + b * conversion.block;
      const size_t count = size_t(std::min<int64_t>(conversion.block, K - b * conversion.block));
      scales[row * blocks + b] =
          quantize_block_ref({x + begin, count}, conversion, {codes + begin, count});
    }
}

}  // namespace mxref::kernels
