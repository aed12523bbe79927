#pragma once
// A tensor of binary32 as the span that emu takes.

#include <ATen/core/Tensor.h>

#include <span>

namespace mxref {

// x contiguous; the span does not outlive it.
inline std::span<const float> values_of(const at::Tensor& x) {
  return {x.data_ptr<float>(), size_t(x.numel())};
}

}  // namespace mxref
