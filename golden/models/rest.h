#pragma once
// The rest of a model, as the decoder calls it: what is not a product of two quantized operands.
// Two ways compute it (recipe field "rest"): `strict` by emu/rest.h, the same bits everywhere, and
// `library` by libtorch and oneDNN but for the rotation. All tensors are binary32, contiguous.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "golden/models/decoder_description.h"

namespace mxref {

// A right operand of products, prepared once.
class RestWeight {
 public:
  virtual ~RestWeight() = default;
};

class Rest {
 public:
  virtual ~Rest() = default;

  // w (N,K).
  virtual std::unique_ptr<RestWeight> prepare(const at::Tensor& w) const = 0;
  // x (M,K), w prepared by this (N,K) → x·wᵀ (M,N).
  virtual at::Tensor product(const at::Tensor& x, const RestWeight& w) const = 0;

  // y (M,N) += bias (N) in each row.
  virtual void add_bias(at::Tensor& y, const at::Tensor& bias) const = 0;
  // x += y, of one shape.
  virtual void add(at::Tensor& x, const at::Tensor& y) const = 0;
  // x (M,D), w (D) → (M,D).
  virtual at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) const = 0;
  // gate, up (M,F) → silu(gate)·up (M,F).
  virtual at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up) const = 0;

  // The frequencies f_i → (head_dim/2).
  virtual at::Tensor frequencies(const Rope& rope, int64_t head_dim) const = 0;
  // cos and sin of position·f_i for the positions first … first+count-1 → (count, head_dim/2) each.
  virtual void angles(const at::Tensor& frequencies, int64_t first, at::Tensor& cos,
                      at::Tensor& sin) const = 0;

  // scores (M,n) of M queries and the n keys that they see → probabilities (M,n): the softmax of
  // the scores times d^(-1/2).
  virtual at::Tensor softmax(const at::Tensor& scores, int64_t head_dim) const = 0;
  // One sequence: queries (T, heads·d), the last T of the L positions; keys, values (G,L,d) → out
  // (T, heads·d). Causal; key head = head / (heads/G); scores are scaled by d^(-1/2).
  virtual void attention(const at::Tensor& queries, const at::Tensor& keys,
                         const at::Tensor& values, at::Tensor& out) const = 0;
};

// "strict" or "library".
const Rest& rest_of(std::string_view name);
const Rest& strict_rest();
const Rest& library_rest();

// The rotation of pairs (x_i, x_(i+d/2)) by position · f_i.
class Rotary {
 public:
  Rotary(const Rest& rest, const Rope& rope, int64_t head_dim);
  // x (sequences·T, heads·head_dim), the rows of each sequence at the positions first, first+1, …;
  // in place.
  void rotate(at::Tensor& x, int64_t sequences, int64_t first);

 private:
  void grow(int64_t positions);
  const Rest& rest_;
  int64_t head_dim_;
  at::Tensor frequencies_;  // (head_dim/2)
  at::Tensor cos_, sin_;    // (positions so far, head_dim/2)
};

}  // namespace mxref
