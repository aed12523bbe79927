#pragma once
// The innermost loop of the products of linear_algebra.h.

#include <cstdint>

namespace mxref {

// What it keeps in registers.
inline constexpr int64_t unit_rows = 8, unit_cols = 16;

// a (K, unit_rows), b (K, unit_cols) → sums (unit_rows, unit_cols) = Σ_k a_k·b_k, k rising from +0,
// each product and each sum rounded by itself: the same bits on every instruction set.
void multiply_unit(int64_t K, const double* a, const double* b, double* sums);

}  // namespace mxref
