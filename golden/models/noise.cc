#include "golden/models/noise.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>

#include "emu/kernels/parts.h"

namespace mxref {
namespace {

constexpr int64_t block_elements = 128, word_bits = 32, part_rows = 32;

// x (D): one token at one place.
void perturb_row(float* x, int64_t D, philox::Key key, uint32_t position, uint32_t place) {
  // Both are binary32 numbers, so that the product is rounded once.
  const float factors[] = {1 + std::ldexp(1.0f, noise_log2), 1 - std::ldexp(1.0f, noise_log2)};
  for (int64_t block = 0; block * block_elements < D; ++block) {
    const philox::Counter words = philox::philox4x32_10({position, place, uint32_t(block), 0}, key);
    float* const elements = x + block * block_elements;
    const int64_t count = std::min(block_elements, D - block * block_elements);
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t minus = words[size_t(i / word_bits)] >> (i % word_bits) & 1;
      elements[i] *= factors[minus];
    }
  }
}

}  // namespace

void Noise::perturb(at::Tensor& x, int64_t first, uint32_t place) const {
  const int64_t D = x.size(-1), T = x.size(-2);
  auto* values = x.data_ptr<float>();
  for_each_range(x.numel() / D, part_rows, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      perturb_row(values + row * D, D, key_, uint32_t(first + row % T), place);
  });
}

}  // namespace mxref
