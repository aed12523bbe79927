#pragma once
// Hadamard matrices, constructed, and the transforms by them.

#include <cstdint>
#include <vector>

namespace mxref {

// H of order n: entries +1 and -1, H·Hᵀ = n·I. H = H_core ⊗ S, S of the power of two above the core
// (Sylvester). The core is found by Paley's constructions over a finite field, prime powers
// included.
struct HadamardOrder {
  int64_t core = 1;   // rows of the dense factor; 1 where n is a power of two
  int64_t power = 1;  // n = core · power, a power of two
};
// Throws UsageError where neither construction reaches n (known orders are 1, 2 and multiples of
// 4).
HadamardOrder hadamard_order(int64_t n);
bool has_hadamard_order(int64_t n);

// The dense factor of this order, row-major (core, core). Kept after the first call.
const std::vector<int8_t>& hadamard_core(int64_t core);

// x (rows, n, inner) → x·H/√n along the axis of n, in place, in O(n (core + log2 power)) a row: the
// stages of S by rising stride (a + b, a - b), then the core (y_i = Σ_j H_ij·x_j, j rising), then
// one multiplication by the rounded 1/√n. Every operation is rounded by itself, so that the bits
// are the same everywhere and for any number of threads. `transposed`: by Hᵀ, the inverse.
template <typename T>
void hadamard_transform(T* x, int64_t rows, int64_t n, int64_t inner = 1, bool transposed = false);
extern template void hadamard_transform(float*, int64_t, int64_t, int64_t, bool);
extern template void hadamard_transform(double*, int64_t, int64_t, int64_t, bool);

}  // namespace mxref
