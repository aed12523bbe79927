// AVX-512 F, BW, VL, DQ and VNNI.

#include <immintrin.h>

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

struct ByteProducts {
  static constexpr int elements = 4, lane_bits = 31;
  static constexpr bool starts = true;
  typedef __m512i Sum, Operand;
  static __m512i begin(int32_t start) { return _mm512_set1_epi32(start); }
  static __m512i add(__m512i sum, __m512i b, int32_t a) {
    // Not by the intrinsic: g++ 12 copies the accumulators at each step.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(_mm512_set1_epi32(a)));
    return sum;
  }
  static __m512i finish(__m512i sum, int32_t) { return sum; }
};

struct WordProducts {
  static constexpr int elements = 2;
  static constexpr bool starts = false;
  typedef __m512i Sum, Operand;
  static __m512i begin(int32_t) { return _mm512_setzero_si512(); }
  static __m512i add(__m512i sum, __m512i b, int32_t a) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(_mm512_set1_epi32(a)));
    return sum;
  }
  static __m512i finish(__m512i sum, int32_t) { return sum; }
};

#include "emu/kernels/avx512.inc"
// Names them all.
#include "emu/kernels/table.inc"

}  // namespace

extern const InstructionSet avx512vnni_kernels = all_kernels;

}  // namespace mxref::kernels
