// AVX-512 F, BW, VL and DQ, without VNNI.

#include <immintrin.h>

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

// A lane of 16 bits adds half of the products of a block: see byte_lane_bits.
struct ByteProducts {
  static constexpr int elements = 4, lane_bits = 15;
  static constexpr bool starts = true;
  typedef __m512i Sum, Operand;
  static __m512i begin(int32_t) { return _mm512_setzero_si512(); }
  static __m512i add(__m512i sum, __m512i b, int32_t a) {
    return _mm512_add_epi16(sum, _mm512_maddubs_epi16(b, _mm512_set1_epi32(a)));
  }
  static __m512i finish(__m512i sum, int32_t start) {
    const __m512i columns = _mm512_madd_epi16(sum, _mm512_set1_epi16(1));
    return _mm512_add_epi32(columns, _mm512_set1_epi32(start));
  }
};

struct WordProducts {
  static constexpr int elements = 2;
  static constexpr bool starts = false;
  typedef __m512i Sum, Operand;
  static __m512i begin(int32_t) { return _mm512_setzero_si512(); }
  static __m512i add(__m512i sum, __m512i b, int32_t a) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(b, _mm512_set1_epi32(a)));
  }
  static __m512i finish(__m512i sum, int32_t) { return sum; }
};

#include "emu/kernels/avx512.inc"
// Names them all.
#include "emu/kernels/table.inc"

}  // namespace

extern const InstructionSet avx512_kernels = all_kernels;

}  // namespace mxref::kernels
