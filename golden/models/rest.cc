#include "golden/models/rest.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "emu/rest.h"

namespace mxref {

const Rest& rest_of(std::string_view name) {
  return name == "library" ? library_rest() : strict_rest();
}

Rotary::Rotary(const Rest& rest, const Rope& rope, int64_t head_dim)
    : rest_(rest), head_dim_(head_dim), frequencies_(rest.frequencies(rope, head_dim)) {
  cos_ = sin_ = at::empty({0, head_dim / 2}, at::kFloat);
}

void Rotary::grow(int64_t positions) {
  constexpr int64_t at_once = 256;
  const int64_t have = cos_.size(0);
  if (positions <= have) return;
  const int64_t more = (positions - have + at_once - 1) / at_once * at_once;
  at::Tensor cos = at::empty({more, head_dim_ / 2}, at::kFloat), sin = at::empty_like(cos);
  rest_.angles(frequencies_, have, cos, sin);
  cos_ = at::cat({cos_, cos});
  sin_ = at::cat({sin_, sin});
}

void Rotary::rotate(at::Tensor& x, int64_t sequences, int64_t first) {
  const int64_t T = x.size(0) / sequences, half = head_dim_ / 2;
  grow(first + T);
  rest::rotate(
      {.sequences = sequences, .T = T, .heads = x.size(1) / head_dim_, .head_dim = head_dim_},
      cos_.data_ptr<float>() + first * half, sin_.data_ptr<float>() + first * half,
      x.data_ptr<float>());
}

}  // namespace mxref
