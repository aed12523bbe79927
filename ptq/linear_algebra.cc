#include "ptq/linear_algebra.h"

#include <dnnl.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "emu/kernels/parts.h"
#include "ptq/multiply_unit.h"

namespace mxref {
namespace {

// A tile of a product, one part of the work, and how many of its K are packed at once.
constexpr int64_t tile_rows = 64, tile_cols = 128, depth = 256;

// rows × K of `m`, zeros where there is none, in groups of `unit`: (rows/unit, K, unit).
void pack(View64 m, int64_t row, int64_t rows, int64_t k, int64_t K, int64_t unit, bool by_columns,
          std::vector<double>& packed) {
  const int64_t groups = (rows + unit - 1) / unit;
  packed.assign(size_t(groups * K * unit), 0.0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < K; ++i)
      packed[size_t((r / unit * K + i) * unit + r % unit)] =
          by_columns ? m.at(k + i, row + r) : m.at(row + r, k + i);
}

struct Tile {
  int64_t row, rows, col, cols;
};

void add_tile(View64 a, View64 b, const Tile& tile, int64_t K, double factor, double* c,
              int64_t ldc) {
  std::vector<double> left, right;
  for (int64_t k = 0; k < K; k += depth) {
    const int64_t count = std::min(depth, K - k);
    pack(a, tile.row, tile.rows, k, count, unit_rows, /*by_columns=*/false, left);
    pack(b, tile.col, tile.cols, k, count, unit_cols, /*by_columns=*/true, right);
    for (int64_t n = 0; n < tile.cols; n += unit_cols)
      for (int64_t m = 0; m < tile.rows; m += unit_rows) {
        double sums[unit_rows * unit_cols];
        multiply_unit(count, &left[size_t(m * count)], &right[size_t(n * count)], sums);
        const int64_t rows = std::min(unit_rows, tile.rows - m),
                      cols = std::min(unit_cols, tile.cols - n);
        for (int64_t i = 0; i < rows; ++i) {
          double* const out = c + (tile.row + m + i) * ldc + tile.col + n;
          for (int64_t j = 0; j < cols; ++j) out[j] += factor * sums[i * unit_cols + j];
        }
      }
  }
}

// The last rows of R come first: h (n,n) small, in place. Returns as reversed_cholesky.
int64_t factor_block(double* h, int64_t n, int64_t stride) {
  for (int64_t j = n - 1; j >= 0; --j) {
    double diagonal = h[j * stride + j];
    for (int64_t k = j + 1; k < n; ++k) diagonal -= h[j * stride + k] * h[j * stride + k];
    if (!(diagonal > 0)) return j;
    const double root = std::sqrt(diagonal);
    h[j * stride + j] = root;
    for (int64_t i = 0; i < j; ++i) {
      double sum = h[i * stride + j];
      for (int64_t k = j + 1; k < n; ++k) sum -= h[i * stride + k] * h[j * stride + k];
      h[i * stride + j] = sum / root;
    }
  }
  return -1;
}

}  // namespace

void sgemm(char trans_a, char trans_b, int64_t M, int64_t N, int64_t K, float alpha, const float* a,
           int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  if (dnnl_sgemm(trans_a, trans_b, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc) != dnnl_success)
    throw std::runtime_error("oneDNN refused a matrix product");
}

void add_product(View64 a, View64 b, int64_t M, int64_t N, int64_t K, double factor, double* c,
                 int64_t ldc, bool upper) {
  const int64_t row_tiles = (M + tile_rows - 1) / tile_rows,
                col_tiles = (N + tile_cols - 1) / tile_cols;
  for_each_part(row_tiles * col_tiles, [&](int64_t part) {
    const int64_t row = part / col_tiles * tile_rows, col = part % col_tiles * tile_cols;
    const Tile tile{row, std::min(tile_rows, M - row), col, std::min(tile_cols, N - col)};
    if (upper && tile.col + tile.cols <= tile.row) return;
    add_tile(a, b, tile, K, factor, c, ldc);
  });
}

std::vector<double> product(View64 a, View64 b, int64_t M, int64_t N, int64_t K) {
  std::vector<double> c(size_t(M * N), 0.0);
  add_product(a, b, M, N, K, 1, c.data(), N);
  return c;
}

int64_t reversed_cholesky(double* h, int64_t n) {
  constexpr int64_t block = 128, row_part = 32;
  for (int64_t end = n; end > 0; end -= std::min(block, end)) {
    const int64_t begin = std::max(end - block, int64_t(0)), count = end - begin;
    double* const corner = h + begin * n + begin;
    if (const int64_t bad = factor_block(corner, count, n); bad >= 0) return begin + bad;
    const std::vector<double> inverse = inverse_of_upper(corner, count, n);
    // Rows above: h_IJ ← h_IJ·R_JJ^(-T).
    for_each_range(begin, row_part, [&](int64_t first, int64_t last) {
      std::vector<double> row(static_cast<size_t>(count));
      for (int64_t i = first; i < last; ++i) {
        double* const values = h + i * n + begin;
        for (int64_t j = 0; j < count; ++j) {
          double sum = 0;
          for (int64_t k = j; k < count; ++k) sum += values[k] * inverse[size_t(j * count + k)];
          row[size_t(j)] = sum;
        }
        std::ranges::copy(row, values);
      }
    });
    const View64 panel{h + begin, n};
    add_product(panel, {panel.values, n, /*transposed=*/true}, begin, begin, count, -1, h, n,
                /*upper=*/true);
  }
  return -1;
}

std::vector<double> inverse_of_upper(const double* r, int64_t n, int64_t stride) {
  std::vector<double> u(size_t(n * n), 0.0);
  // Column by column of U: R·U = I from the diagonal upwards, by rows of U.
  for (int64_t i = n - 1; i >= 0; --i) {
    double* const row = &u[size_t(i * n)];
    row[i] = 1;
    for (int64_t k = i + 1; k < n; ++k) {
      const double factor = r[i * stride + k];
      const double* const below = &u[size_t(k * n)];
      for (int64_t j = k; j < n; ++j) row[j] -= factor * below[j];
    }
    for (int64_t j = i; j < n; ++j) row[j] /= r[i * stride + i];
  }
  return u;
}

}  // namespace mxref
