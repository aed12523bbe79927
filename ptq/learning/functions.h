#pragma once
// The operations that learning differentiates, as functions of libtorch's autograd. Forward and
// backward are cut into fixed parts, each computed by one thread: no bit depends on the number of
// threads. Tensors are contiguous; binary32 but where binary64 is named.

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "golden/recipe.h"

namespace mxref {

// op(a)·op(b), op(x) = xᵀ where the flag is set. Both binary32 or both binary64.
at::Tensor multiply(const at::Tensor& a, bool transpose_a, const at::Tensor& b, bool transpose_b);

// x (M, a·b), left (a,a), right (b,b) → leftᵀ·X·right of each row X (a,b), as the on-line transform
// `kronecker`.
at::Tensor kronecker_map(const at::Tensor& x, const at::Tensor& left, const at::Tensor& right);

// x (M,n) → x·H_size/√size along an axis of `size` elements `inner` apart.
at::Tensor hadamard_map(const at::Tensor& x, int64_t size, int64_t inner);

// x (M,K) as the side of a recipe has it after quantizing and dequantizing; its gradient is that of
// the identity ("straight through").
at::Tensor straight_through(const at::Tensor& x, const RecipeSide& side);

// x (M,K), ratio (1) or (M): each block of `block` in a row to ± ratio times its largest magnitude.
at::Tensor clip_blocks(const at::Tensor& x, const at::Tensor& ratio, int64_t block);

// x (M,D) → x/√(mean x² + eps), by rows.
at::Tensor unit_rms(const at::Tensor& x, double eps);

// silu(gate)·up, both (M,F).
at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up);

// x (sequences·T, heads·d), each sequence from position 0 on; cos and sin (at least T, d/2).
at::Tensor rotate_pairs(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                        int64_t sequences);

// Causal, grouped: q (B·T, H·d), k and v (B·T, G·d) → (B·T, H·d).
at::Tensor causal_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            int64_t sequences, int64_t head_dim);

// Mean cross-entropy, in nats, of each next token: x (B·T,D), head (V,D), ids (B·T) I64 → (). Has a
// gradient for x alone.
at::Tensor next_token_loss(const at::Tensor& x, const at::Tensor& head, const at::Tensor& ids,
                           int64_t sequences);

// x (n,n) binary64, what is below its diagonal → (I - A/2)⁻¹·(I + A/2), A = x - xᵀ: orthogonal, I
// for 0 (Cayley).
at::Tensor cayley(const at::Tensor& x);

}  // namespace mxref
