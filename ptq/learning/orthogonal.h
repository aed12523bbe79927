#pragma once
// Orthogonal matrices in binary64, row-major (n,n): where they start, and steps that keep them so.

#include <cstdint>
#include <vector>

#include "ptq/transforms/fold.h"

namespace mxref {

using Matrix64 = std::vector<double>;

// Rows → orthonormal, each but for its part along those before (Gram-Schmidt, twice: the Q of a QR
// decomposition with a positive diagonal).
void orthonormalise_rows(Matrix64& m, int64_t n);
// Rows of independent normal values, orthonormalised: uniform over the orthogonal group.
Matrix64 random_orthogonal(int64_t n, uint64_t seed);
// Of random_hadamard (ptq/transforms/fold.h).
Matrix64 random_hadamard_matrix(int64_t n, uint64_t seed);

// m (n,n) → m⁻¹, by Gauss and Jordan with pivots. Throws UsageError that begins with `name` where m
// is singular.
Matrix64 inverse(Matrix64 m, int64_t n, const char* name);

// (n,n) binary64.
at::Tensor square_tensor(const Matrix64& m, int64_t n);

// rows → rows·m.
RowMap dense_map(Matrix64 m, int64_t n);
// rows of (n·count) → each n of them times m.
RowMap blockwise_map(Matrix64 m, int64_t n, int64_t count);

// One step of gradient descent on the Stiefel manifold with a Cayley retraction by fixed point (Li,
// Li, Todorovic, "Efficient Riemannian optimization on the Stiefel manifold via the Cayley
// transform", ICLR 2020, without momentum): R (n,n), G the gradient with respect to R.
void stiefel_step(Matrix64& R, const Matrix64& G, int64_t n, double rate);

}  // namespace mxref
