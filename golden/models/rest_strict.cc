// The rest of a model by emu/rest.h.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "emu/elementary.h"
#include "emu/rest.h"
#include "golden/models/rest.h"

namespace mxref {
namespace {

struct StrictWeight : RestWeight {
  explicit StrictWeight(rest::PackedMatrix m) : matrix(std::move(m)) {}
  rest::PackedMatrix matrix;
};

rest::WaveScaling scaling_of(const Rope& rope) {
  using Kind = rest::WaveScaling::Kind;
  return {.kind = rope.scaling == Rope::Scaling::linear   ? Kind::linear
                  : rope.scaling == Rope::Scaling::llama3 ? Kind::llama3
                                                          : Kind::none,
          .factor = float(rope.factor),
          .low = float(rope.low_freq_factor),
          .high = float(rope.high_freq_factor),
          .original_positions = float(rope.original_max_position)};
}

class StrictRest : public Rest {
 public:
  std::unique_ptr<RestWeight> prepare(const at::Tensor& w) const override {
    return std::make_unique<StrictWeight>(
        rest::PackedMatrix::of_rows(w.data_ptr<float>(), w.size(0), w.size(1), w.size(1)));
  }
  at::Tensor product(const at::Tensor& x, const RestWeight& w) const override {
    const rest::PackedMatrix& matrix = dynamic_cast<const StrictWeight&>(w).matrix;
    at::Tensor y = at::empty({x.size(0), matrix.rows()}, at::kFloat);
    rest::product(x.data_ptr<float>(), x.size(0), matrix, y.data_ptr<float>());
    return y;
  }
  void add_bias(at::Tensor& y, const at::Tensor& bias) const override {
    rest::add_bias(bias.data_ptr<float>(), y.size(0), y.size(1), y.data_ptr<float>());
  }
  void add(at::Tensor& x, const at::Tensor& y) const override {
    rest::add(x.data_ptr<float>(), y.data_ptr<float>(), x.numel(), x.data_ptr<float>());
  }
  at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& w, double eps) const override {
    at::Tensor y = at::empty_like(x);
    rest::rms_norm(x.data_ptr<float>(), w.data_ptr<float>(), x.size(0), x.size(1), float(eps),
                   y.data_ptr<float>());
    return y;
  }
  at::Tensor gated_silu(const at::Tensor& gate, const at::Tensor& up) const override {
    at::Tensor y = at::empty_like(gate);
    rest::gated_silu(gate.data_ptr<float>(), up.data_ptr<float>(), gate.numel(),
                     y.data_ptr<float>());
    return y;
  }
  at::Tensor frequencies(const Rope& rope, int64_t head_dim) const override {
    const std::vector<float> f =
        rest::rotary_frequencies(float(rope.theta), head_dim, scaling_of(rope));
    at::Tensor x = at::empty({int64_t(f.size())}, at::kFloat);
    std::ranges::copy(f, x.data_ptr<float>());
    return x;
  }
  void angles(const at::Tensor& frequencies, int64_t first, at::Tensor& cos,
              at::Tensor& sin) const override {
    const auto* f = frequencies.data_ptr<float>();
    rest::rotary_angles({f, f + frequencies.numel()}, first, cos.size(0), cos.data_ptr<float>(),
                        sin.data_ptr<float>());
  }
  at::Tensor softmax(const at::Tensor& scores, int64_t head_dim) const override {
    at::Tensor p = at::empty_like(scores);
    rest::softmax(scores.data_ptr<float>(), scores.size(0), scores.size(1),
                  rsqrt_ref(float(head_dim)), p.data_ptr<float>());
    return p;
  }
  void attention(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                 at::Tensor& out) const override {
    rest::attention({.queries = queries.size(0),
                     .keys = keys.size(1),
                     .heads = queries.size(1) / keys.size(2),
                     .kv_heads = keys.size(0),
                     .head_dim = keys.size(2)},
                    queries.data_ptr<float>(), keys.data_ptr<float>(), values.data_ptr<float>(),
                    out.data_ptr<float>());
  }
};

}  // namespace

const Rest& strict_rest() {
  static const StrictRest rest;
  return rest;
}

}  // namespace mxref
