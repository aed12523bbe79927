// AVX-512 F, BW, VL, DQ and VNNI.

#include <immintrin.h>

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

struct Lanes64 {
  static constexpr int count = 8, rows = 6, vectors = 4;
  static __m512d multiply_add(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
  static bool any(__m512i mask) { return _mm512_movepi64_mask(mask); }
};
#include "emu/kernels/fused_f64.inc"

struct Lanes32 {
  static constexpr int count = 16, rows = 6, vectors = 2;
  typedef __m512i Sum, Bytes;
  static __m512i begin(int32_t start) { return _mm512_set1_epi32(start); }
  static __m512i add_products(__m512i sum, __m512i b, int32_t a) {
    return _mm512_dpbusd_epi32(sum, b, _mm512_set1_epi32(a));
  }
  static __m512i finish(__m512i sum, int32_t) { return sum; }
  static __m512 multiply_add(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
};

void look_up(const uint8_t* codes, int64_t count, const int8_t* table, int8_t* values) {
  const __m512i entries = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)table));
  for (int64_t i = 0; i < count; i += 64) {
    const __mmask64 exists = count - i < 64 ? (__mmask64(1) << (count - i)) - 1 : ~__mmask64(0);
    const __m512i x = _mm512_maskz_loadu_epi8(exists, codes + i);
    _mm512_mask_storeu_epi8(values + i, exists, _mm512_shuffle_epi8(entries, x));
  }
}
#include "emu/kernels/fused_f32.inc"

}  // namespace

extern const InstructionSet avx512vnni_kernels = {
    .integer_panel = integer_panel,
    .double_panel = double_panel,
    .look_up = look_up,
};

}  // namespace mxref::kernels
