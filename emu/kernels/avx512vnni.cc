// AVX-512 F, BW, VL, DQ and VNNI.

#include <immintrin.h>

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

struct Lanes64 {
  static constexpr int count = 8, rows = 6, vectors = 4;
  static __m512d multiply_add(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
  static __m512d widen(__m256 x) { return _mm512_cvtps_pd(x); }
  static __m512d from_memory(const int32_t* x) {
    return _mm512_cvtepi32_pd(_mm256_load_si256((const __m256i*)x));
  }
  template <int half, typename Ints>
  static __m512d from_ints(Ints x) {
    return _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64((__m512i)x, half));
  }
  static __m256 narrow(__m512d x) { return _mm512_cvtpd_ps(x); }
  // Rounding to odd: where the sum is inexact, the two directed roundings are neighbours and one of
  // them is odd. An odd binary64 number is no binary32 number and no halfway point, so it lies on
  // the side of each where the exact sum lies.
  static __m512d add_to_round(__m512d a, __m512d b, __m512d c) {
    const __m512d low = _mm512_fmadd_round_pd(a, b, c, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const __m512d high = _mm512_fmadd_round_pd(a, b, c, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
    const __mmask8 low_is_odd =
        _mm512_test_epi64_mask(_mm512_castpd_si512(low), _mm512_set1_epi64(1));
    return _mm512_mask_mov_pd(high, low_is_odd, low);
  }
};
#include "emu/kernels/fused_f64.inc"

struct Lanes32 {
  static constexpr int count = 16, rows = 6, vectors = 2;
  typedef __m512i Sum, Bytes;
  static __m512i begin(int32_t start) { return _mm512_set1_epi32(start); }
  static __m512i add_products(__m512i sum, __m512i b, int32_t a) {
    // Not by the intrinsic: g++ 12 copies the accumulators at each step.
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(_mm512_set1_epi32(a)));
    return sum;
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

struct LanesWords {
  static constexpr int count = 16, rows = 8, vectors = 1;
  typedef __m512i Words;
  // Two words of A for each column.
  static Words broadcast(const int16_t* a) {
    int32_t two;
    __builtin_memcpy(&two, a, sizeof two);
    return _mm512_set1_epi32(two);
  }
  static __m512i add_products(__m512i sum, Words a, Words b) {
    asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(b), "v"(a));  // see Lanes32
    return sum;
  }
};
#include "emu/kernels/fused_words.inc"

struct Lanes8 {
  static __m256 multiply_add(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
  template <typename V>
  static void store_bytes(uint8_t* to, V x) {
    _mm_storeu_si64(to, _mm256_cvtepi32_epi8((__m256i)x));
  }
};
#include "emu/kernels/quantize.inc"

}  // namespace

extern const InstructionSet avx512vnni_kernels = {
    .integer_panel = integer_panel,
    .double_panel = double_panel,
    .word_panel = word_panel,
    .decode_word_row = decode_word_row,
    .look_up = look_up,
    .block_maxima = block_maxima,
    .encode_blocks = encode_blocks,
};

}  // namespace mxref::kernels
