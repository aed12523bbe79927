#pragma once
// Products and factors of matrices whose bits do not depend on the number of threads: work in fixed
// parts, each on one thread. BLAS and LAPACK do not give that. All matrices row-major.

#include <cstdint>
#include <vector>

namespace mxref {

// c (M,N) = alpha·op(a)·op(b) + beta·c in binary32, on the calling thread; rows lda, ldb, ldc
// apart. 't' transposes: a is then stored (K,M), b (N,K).
void sgemm(char trans_a, char trans_b, int64_t M, int64_t N, int64_t K, float alpha, const float* a,
           int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc);

// A matrix of binary64 in memory of somebody else's; `transposed` views it the other way round.
struct View64 {
  const double* values;
  int64_t stride;  // between rows
  bool transposed = false;
  double at(int64_t row, int64_t col) const {
    return transposed ? values[col * stride + row] : values[row * stride + col];
  }
};
// c (M,N), rows ldc apart, += factor·a (M,K)·b (K,N). `upper`: only the tiles that touch the upper
// triangle.
void add_product(View64 a, View64 b, int64_t M, int64_t N, int64_t K, double factor, double* c,
                 int64_t ldc, bool upper = false);
std::vector<double> product(View64 a, View64 b, int64_t M, int64_t N, int64_t K);

// h (n,n), its upper triangle, symmetric → in place R, upper, h = R·Rᵀ (the Cholesky factor from
// the last row on); what lies below the diagonal is not read, and holds anything behind it. Returns
// -1, or the row at which h turned out not to be positive definite.
int64_t reversed_cholesky(double* h, int64_t n);

// R (n,n) upper, rows `stride` apart → its inverse, upper, packed (n,n) with zeros below.
std::vector<double> inverse_of_upper(const double* r, int64_t n, int64_t stride);

}  // namespace mxref
