#pragma once
// Tensors of binary32 as the spans and vectors that emu takes and gives.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <span>
#include <vector>

namespace mxref {

// x contiguous; the span does not outlive it.
inline std::span<const float> values_of(const at::Tensor& x) {
  return {x.data_ptr<float>(), size_t(x.numel())};
}

inline at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  at::Tensor x = at::empty(shape, at::kFloat);
  std::ranges::copy(values, x.data_ptr<float>());
  return x;
}

}  // namespace mxref
