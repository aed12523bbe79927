#pragma once
// Rows of a quantized tensor as float64 tensors, and the exact sums of their products.

#include <ATen/core/Tensor.h>

#include <vector>

#include "emu/block.h"
#include "golden/formulation/rounding.h"

namespace mxref::formulation {

// What every code means. A table is indexed by the code.
at::Tensor element_values(const ElementFormat& f);     // float64, NaN and ±Inf among them
at::Tensor element_exponents(const ElementFormat& f);  // int64: ARITHMETIC.md §4, `aligned`
at::Tensor scale_values(const ScaleFormat& f);         // float64, without the sign
at::Tensor scale_exponents(const ScaleFormat& f);      // int64

// Rows begin … end-1 of a tensor: R of them, of K elements.
struct Operand {
  Operand(const MxTensor& q, int64_t begin, int64_t end, bool with_exponents = false);

  // (R,K) code · scale, exact: NaN where either is NaN, ±Inf.
  at::Tensor values;
  // (R,K) the finite values, 0 in place of the others, as the sum of one or two tensors, so that
  // the products of two such parts sum exactly in float64.
  std::vector<at::Tensor> parts;
  // (R,K) 0, or the NaN or ±Inf that stands there; undefined where all is finite.
  at::Tensor specials;
  // (R,K) exponents of the elements and of their scales (int64), where asked for.
  at::Tensor element_exponent, scale_exponent;

  const at::Tensor& finite() const { return finite_; }  // (R,K) the sum of the parts

 private:
  at::Tensor finite_;
};

// Bits that the sum of `count` products of parts takes: at most 53.
int bits_of_sum(const ElementFormat& a, const ElementFormat& b, int count);

// Σ_k a[…,k] · b[…,k] of finite values, exact, for every pair of rows: a.parts and b.parts as
// (batch, M, k) and (batch, N, k) → (batch, M, N).
using Parts = std::vector<at::Tensor>;
Exact sum_of_products(const Parts& a, const Parts& b);
// How many of these products are not zero.
at::Tensor count_of_nonzero_products(const at::Tensor& a, const at::Tensor& b);

// The elements first … first + count-1 of every pair of rows (M,N): 0, or what NaN and Inf among
// them make of a sum: NaN, ±Inf. Undefined where they are all finite.
at::Tensor special_sums(const Operand& a, const Operand& b, int64_t first, int64_t count);

}  // namespace mxref::formulation
