#include "ptq/learning/orthogonal.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "emu/error.h"
#include "emu/philox.h"
#include "ptq/linear_algebra.h"

namespace mxref {
namespace {

double dot(const double* a, const double* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

void orthonormalise_rows(Matrix64& m, int64_t n) {
  for (int64_t row = 0; row < n; ++row) {
    double* const x = &m[size_t(row * n)];
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t before = 0; before < row; ++before) {
        const double* const y = &m[size_t(before * n)];
        const double along = dot(x, y, n);
        for (int64_t i = 0; i < n; ++i) x[i] -= along * y[i];
      }
    const double norm = std::sqrt(dot(x, x, n));
    for (int64_t i = 0; i < n; ++i) x[i] /= norm;
  }
}

Matrix64 random_orthogonal(int64_t n, uint64_t seed) {
  Matrix64 m(size_t(n * n));
  // Box and Muller: two words a value, both inside (0, 1).
  const auto uniform = [&](uint64_t index) {
    return (double(philox::word(seed, index)) + 0.5) / 4294967296.0;
  };
  for (size_t i = 0; i < m.size(); ++i)
    m[i] = std::sqrt(-2 * std::log(uniform(2 * i))) * std::cos(2 * M_PI * uniform(2 * i + 1));
  orthonormalise_rows(m, n);
  return m;
}

Matrix64 random_hadamard_matrix(int64_t n, uint64_t seed) {
  Matrix64 m(size_t(n * n), 0.0);
  for (int64_t i = 0; i < n; ++i) m[size_t(i * n + i)] = 1;
  random_hadamard(n, seed)(m.data(), n);
  return m;
}

Matrix64 inverse(Matrix64 m, int64_t n, const char* name) {
  Matrix64 result(size_t(n * n), 0.0);
  for (int64_t i = 0; i < n; ++i) result[size_t(i * n + i)] = 1;
  for (int64_t col = 0; col < n; ++col) {
    int64_t pivot = col;
    for (int64_t row = col + 1; row < n; ++row)
      if (std::abs(m[size_t(row * n + col)]) > std::abs(m[size_t(pivot * n + col)])) pivot = row;
    const double value = m[size_t(pivot * n + col)];
    if (!(std::abs(value) > 0) || !std::isfinite(value))
      throw UsageError(std::string(name) + ": a learned matrix is singular; a lower learning rate");
    for (Matrix64* side : {&m, &result}) {
      double* const top = &(*side)[size_t(col * n)];
      if (pivot != col) std::swap_ranges(top, top + n, &(*side)[size_t(pivot * n)]);
      for (int64_t i = 0; i < n; ++i) top[i] /= value;
    }
    for (int64_t row = 0; row < n; ++row) {
      const double factor = m[size_t(row * n + col)];
      if (row == col || factor == 0) continue;
      for (Matrix64* side : {&m, &result}) {
        const double* const top = &(*side)[size_t(col * n)];
        double* const x = &(*side)[size_t(row * n)];
        for (int64_t i = 0; i < n; ++i) x[i] -= factor * top[i];
      }
    }
  }
  return result;
}

at::Tensor square_tensor(const Matrix64& m, int64_t n) {
  at::Tensor x = at::empty({n, n}, at::kDouble);
  std::ranges::copy(m, x.data_ptr<double>());
  return x;
}

RowMap dense_map(Matrix64 m, int64_t n) { return blockwise_map(std::move(m), n, 1); }

RowMap blockwise_map(Matrix64 m, int64_t n, int64_t count) {
  return [m = std::move(m), n, blocks = count](double* rows, int64_t count) {
    const Matrix64 mapped = product({rows, n}, {m.data(), n}, count * blocks, n, n);
    std::ranges::copy(mapped, rows);
  };
}

// X = Rᵀ, V = -Gᵀ, M = V·R, W = (M - ½·Rᵀ·(R·M)) minus its transpose; with α = min(1/(‖W‖₁ + ε),
// rate) Y = X + α·V, then five times Y = X + α·W·(X + Y)/2.
void stiefel_step(Matrix64& R, const Matrix64& G, int64_t n, double rate) {
  const auto at = [n](int64_t i, int64_t j) { return size_t(i * n + j); };
  Matrix64 X(R.size()), V(R.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      X[at(i, j)] = R[at(j, i)];
      V[at(i, j)] = -G[at(j, i)];
    }
  const View64 r{R.data(), n};
  const Matrix64 M = product({V.data(), n}, r, n, n, n);
  const Matrix64 RM = product(r, {M.data(), n}, n, n, n);
  Matrix64 half = M;
  add_product({R.data(), n, true}, {RM.data(), n}, n, n, n, -0.5, half.data(), n);
  Matrix64 W(R.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) W[at(i, j)] = half[at(i, j)] - half[at(j, i)];
  double norm = 0;  // the largest sum of a column
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::abs(W[at(i, j)]);
    norm = std::max(norm, sum);
  }
  const double alpha = std::min(1 / (norm + 1e-8), rate);
  Matrix64 Y = X;
  for (size_t i = 0; i < Y.size(); ++i) Y[i] += alpha * V[i];
  for (int pass = 0; pass < 5; ++pass) {
    Matrix64 middle(R.size());
    for (size_t i = 0; i < Y.size(); ++i) middle[i] = (X[i] + Y[i]) / 2;
    Y = X;
    add_product({W.data(), n}, {middle.data(), n}, n, n, n, alpha, Y.data(), n);
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) R[at(i, j)] = Y[at(j, i)];
}

}  // namespace mxref
