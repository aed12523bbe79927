// AVX2 and FMA.

#include <immintrin.h>

#include "emu/kernels/instruction_set.h"

namespace mxref::kernels {
namespace {

struct Lanes64 {
  static constexpr int count = 4, rows = 3, vectors = 4;
  typedef __m256i Mask;
  static __m256d multiply_add(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
  static __m256d widen(__m128 x) { return _mm256_cvtps_pd(x); }
  template <int half, typename Ints>
  static __m256d from_ints(Ints x) {
    return _mm256_cvtepi32_pd(_mm256_extracti128_si256((__m256i)x, half));
  }
  static __m128 narrow(__m256d x) { return _mm256_cvtpd_ps(x); }
  static __m256i multiply(__m256i a, __m256i b) { return _mm256_mul_epi32(a, b); }
  static bool any(__m256i mask) { return _mm256_movemask_epi8(mask); }
};
#include "emu/kernels/halfway.inc"
// Uses it.
#include "emu/kernels/double_sums.inc"

struct Lanes32 {
  static constexpr int count = 8, rows = 4, vectors = 2;
  static __m256 multiply_add(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
};

// A lane of 16 bits adds half of the products of a block: see byte_lane_bits.
struct ByteProducts {
  static constexpr int elements = 4, lane_bits = 15;
  static constexpr bool starts = true;
  typedef __m256i Sum, Operand;
  static __m256i begin(int32_t) { return _mm256_setzero_si256(); }
  static __m256i add(__m256i sum, __m256i b, int32_t a) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(b, _mm256_set1_epi32(a)));
  }
  static __m256i finish(__m256i sum, int32_t start) {
    const __m256i columns = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
    return _mm256_add_epi32(columns, _mm256_set1_epi32(start));
  }
};

struct WordProducts {
  static constexpr int elements = 2;
  static constexpr bool starts = false;
  typedef __m256i Sum, Operand;
  static __m256i begin(int32_t) { return _mm256_setzero_si256(); }
  static __m256i add(__m256i sum, __m256i b, int32_t a) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(b, _mm256_set1_epi32(a)));
  }
  static __m256i finish(__m256i sum, int32_t) { return sum; }
};

// By parts of sixteen entries, which the high half of a code chooses; more than four parts are
// slower than loads.
void look_up(const uint8_t* codes, int64_t count, const int8_t* table, int bits, int8_t* values) {
  const auto entries = [&](int part) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)(table + 16 * part)));
  };
  const __m256i nibble = _mm256_set1_epi8(15);
  const int parts = bits <= 4 ? 1 : 1 << (bits - 4);
  int64_t i = 0;
  for (; i + 32 <= count && parts <= 4; i += 32) {
    const __m256i x = _mm256_loadu_si256((const __m256i*)(codes + i));
    const __m256i low = _mm256_and_si256(x, nibble), high = _mm256_andnot_si256(nibble, x);
    __m256i found = _mm256_shuffle_epi8(entries(0), low);
    for (int part = 1; part < parts; ++part)
      found = _mm256_blendv_epi8(found, _mm256_shuffle_epi8(entries(part), low),
                                 _mm256_cmpeq_epi8(high, _mm256_set1_epi8(char(part << 4))));
    _mm256_storeu_si256((__m256i*)(values + i), found);
  }
  for (; i < count; ++i) values[i] = table[codes[i]];
}
#include "emu/kernels/integer_sums.inc"
#include "emu/kernels/split_sums.inc"

struct LanesChain {
  static constexpr int count = 8, rows = 6, vectors = 2;
  static __m256 multiply_add(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
  template <int n>
  static void multiply_add(__m256 a, const __m256 (&b)[n], __m256 (&c)[n]) {
    unrolled<n>([&](auto i) { c[i.value] = _mm256_fmadd_ps(a, b[i.value], c[i.value]); });
  }
};
#include "emu/kernels/aligned.inc"
#include "emu/kernels/chain.inc"
#include "emu/kernels/finish.inc"
#include "emu/kernels/rest.inc"

struct Lanes8 {
  static __m256 multiply_add(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
  template <typename V>
  static V multiply_low_halves(V a, V b) {
    return (V)_mm256_mul_epu32((__m256i)a, (__m256i)b);
  }
  template <typename V>
  static void store_bytes(uint8_t* to, V x) {
    const auto ints = (__m256i)x;
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(ints), _mm256_extracti128_si256(ints, 1));
    _mm_storeu_si64(to, _mm_packus_epi16(words, words));
  }
};
#include "emu/kernels/quantize.inc"
// Names them all.
#include "emu/kernels/table.inc"

}  // namespace

extern const InstructionSet avx2_kernels = all_kernels;

}  // namespace mxref::kernels
