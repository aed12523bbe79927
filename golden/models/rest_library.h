#pragma once
// The rest of a model ("rest": "library"): binary32 by libtorch and oneDNN. Each function runs
// single-threaded operations on a fixed partition of the work, so that its bits do not depend on
// the number of threads. All tensors are binary32, contiguous.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "golden/models/decoder_description.h"

namespace mxref::rest_library {

// x (M,K), w (N,K) → x·wᵀ (M,N).
at::Tensor product(const at::Tensor& x, const at::Tensor& w);

// y (M,N) += bias (N) in each row.
void add_bias(at::Tensor& y, const at::Tensor& bias);

// x (M,D) += y (M,D).
void add(at::Tensor& x, const at::Tensor& y);

// x (T,D), w (D) → (T,D).
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps);

// gate, up (T,F) → silu(gate)·up (T,F).
at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up);

// The rotation of pairs (x_i, x_(i+d/2)) by position · f_i.
class Rotary {
 public:
  Rotary(const Rope& rope, int64_t head_dim);
  // x (T, heads·head_dim), its rows at positions first, first+1, …; in place.
  void rotate(at::Tensor& x, int64_t first);

 private:
  void grow(int64_t positions);
  int64_t head_dim_;
  at::Tensor frequencies_;  // (head_dim/2)
  at::Tensor cos_, sin_;    // (positions so far, head_dim/2)
};

// queries (T, heads·d): the last T of the L positions; keys, values (G,L,d) → (T, heads·d). Causal;
// key head = head / (heads/G); scores are scaled by d^(-1/2).
at::Tensor attention(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values);

}  // namespace mxref::rest_library
