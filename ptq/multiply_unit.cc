#include "ptq/multiply_unit.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mxref {
namespace {

using Unit = void (*)(int64_t K, const double* a, const double* b, double* sums);

void multiply_portable(int64_t K, const double* a, const double* b, double* sums) {
  std::fill_n(sums, unit_rows * unit_cols, 0.0);
  for (int64_t k = 0; k < K; ++k)
    for (int64_t i = 0; i < unit_rows; ++i)
      for (int64_t j = 0; j < unit_cols; ++j)
        sums[i * unit_cols + j] += a[k * unit_rows + i] * b[k * unit_cols + j];
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) void multiply_avx512(int64_t K, const double* a, const double* b,
                                                        double* sums) {
  __m512d acc[unit_rows][2] = {};
  for (int64_t k = 0; k < K; ++k) {
    const __m512d left = _mm512_loadu_pd(b + k * unit_cols),
                  right = _mm512_loadu_pd(b + k * unit_cols + 8);
#pragma GCC unroll 8
    for (int64_t i = 0; i < unit_rows; ++i) {
      const __m512d x = _mm512_set1_pd(a[k * unit_rows + i]);
      acc[i][0] = _mm512_add_pd(acc[i][0], _mm512_mul_pd(x, left));
      acc[i][1] = _mm512_add_pd(acc[i][1], _mm512_mul_pd(x, right));
    }
  }
#pragma GCC unroll 8
  for (int64_t i = 0; i < unit_rows; ++i) {
    _mm512_storeu_pd(sums + i * unit_cols, acc[i][0]);
    _mm512_storeu_pd(sums + i * unit_cols + 8, acc[i][1]);
  }
}

// A quarter of the unit at a time: 4 × 8 sums fill half of the registers.
__attribute__((target("avx2"))) void multiply_avx2(int64_t K, const double* a, const double* b,
                                                   double* sums) {
  for (int64_t row = 0; row < unit_rows; row += 4)
    for (int64_t col = 0; col < unit_cols; col += 8) {
      __m256d acc[4][2] = {};
      for (int64_t k = 0; k < K; ++k) {
        const __m256d left = _mm256_loadu_pd(b + k * unit_cols + col),
                      right = _mm256_loadu_pd(b + k * unit_cols + col + 4);
#pragma GCC unroll 4
        for (int64_t i = 0; i < 4; ++i) {
          const __m256d x = _mm256_set1_pd(a[k * unit_rows + row + i]);
          acc[i][0] = _mm256_add_pd(acc[i][0], _mm256_mul_pd(x, left));
          acc[i][1] = _mm256_add_pd(acc[i][1], _mm256_mul_pd(x, right));
        }
      }
#pragma GCC unroll 4
      for (int64_t i = 0; i < 4; ++i) {
        double* const out = sums + (row + i) * unit_cols + col;
        _mm256_storeu_pd(out, acc[i][0]);
        _mm256_storeu_pd(out + 4, acc[i][1]);
      }
    }
}

Unit best_unit() {
  if (__builtin_cpu_supports("avx512f")) return multiply_avx512;
  return __builtin_cpu_supports("avx2") ? multiply_avx2 : multiply_portable;
}
#else
Unit best_unit() { return multiply_portable; }
#endif

}  // namespace

void multiply_unit(int64_t K, const double* a, const double* b, double* sums) {
  static const Unit unit = best_unit();
  unit(K, a, b, sums);
}

}  // namespace mxref
