#include "ptq/transforms/fold.h"

#include <algorithm>
#include <cmath>

#include "emu/error.h"
#include "emu/kernels/parts.h"
#include "emu/philox.h"
#include "golden/models/hadamard.h"
#include "ptq/learning/functions.h"

namespace mxref {
namespace {

constexpr int64_t rows_at_once = 256;

// w's columns multiplied by s.
void multiply_columns(at::Tensor& w, std::span<const double> s) {
  const int64_t K = w.size(1);
  auto* values = w.data_ptr<float>();
  for_each_range(w.size(0), rows_at_once, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      for (int64_t k = 0; k < K; ++k)
        values[n * K + k] = float(double(values[n * K + k]) * s[size_t(k)]);
  });
}

void divide_rows(LinearWeights& linear, std::span<const double> s) {
  const int64_t K = linear.weight.size(1);
  auto* values = linear.weight.data_ptr<float>();
  auto* bias = linear.bias.defined() ? linear.bias.data_ptr<float>() : nullptr;
  for (int64_t n = 0; n < linear.weight.size(0); ++n) {
    for (int64_t k = 0; k < K; ++k)
      values[n * K + k] = float(double(values[n * K + k]) / s[size_t(n)]);
    if (bias) bias[n] = float(double(bias[n]) / s[size_t(n)]);
  }
}

std::vector<double> as_doubles(const at::Tensor& x) {
  const auto* values = x.data_ptr<float>();
  return {values, values + x.numel()};
}

}  // namespace

void add_largest(const at::Tensor& x, std::vector<double>& largest) {
  const auto* values = x.data_ptr<float>();
  const int64_t K = x.size(1);
  for (int64_t t = 0; t < x.size(0); ++t)
    for (int64_t k = 0; k < K; ++k)
      largest[size_t(k)] = std::max(largest[size_t(k)], std::abs(double(values[t * K + k])));
}

void map_inputs(at::Tensor& w, const RowMap& map) {
  const int64_t K = w.size(1);
  auto* values = w.data_ptr<float>();
  for (int64_t n = 0; n < w.size(0); n += rows_at_once) {
    const int64_t count = std::min(rows_at_once, w.size(0) - n);
    std::vector<double> rows(values + n * K, values + (n + count) * K);
    map(rows.data(), count);
    std::ranges::transform(rows, values + n * K, [](double x) { return float(x); });
  }
}

void map_outputs(LinearWeights& linear, const RowMap& map) {
  at::Tensor columns = linear.weight.t().contiguous();
  map_inputs(columns, map);
  linear.weight = columns.t().contiguous();
  if (!linear.bias.defined()) return;
  at::Tensor bias = linear.bias.view({1, -1});
  map_inputs(bias, map);
}

void fold_norms(PtqModel& model) {
  model.untie();
  const auto fold = [](at::Tensor& norm, std::initializer_list<at::Tensor*> weights) {
    const std::vector<double> s = as_doubles(norm);
    for (at::Tensor* w : weights) multiply_columns(*w, s);
    norm.fill_(1);
  };
  for (LayerWeights& layer : model.layers) {
    fold(layer.input_norm,
         {&layer[Linear::q].weight, &layer[Linear::k].weight, &layer[Linear::v].weight});
    fold(layer.post_attention_norm, {&layer[Linear::gate].weight, &layer[Linear::up].weight});
  }
  fold(model.final_norm, {&model.lm_head});
}

void rotate_residual(PtqModel& model, const RowMap& map) {
  map_inputs(model.embedding, map);
  map_inputs(model.lm_head, map);
  for (LayerWeights& layer : model.layers) {
    for (const Linear linear : {Linear::q, Linear::k, Linear::v, Linear::gate, Linear::up})
      map_inputs(layer[linear].weight, map);
    for (const Linear linear : {Linear::o, Linear::down}) map_outputs(layer[linear], map);
  }
}

void add_hadamard(PtqModel& model, LayerWeights& layer, Place place, int64_t size, int64_t inner) {
  const int64_t n = model.width(place);
  if (n % (size * inner) != 0)
    throw UsageError(layer.prefix + module_before(place) + ": a Hadamard transform of size " +
                     std::to_string(size) + " does not divide the width " + std::to_string(n));
  const int64_t rows = n / (size * inner);
  for (const Linear linear : linears_at(place))
    map_inputs(layer[linear].weight,
               [&](double* x, int64_t count) { hadamard_transform(x, count * rows, size, inner); });
  nlohmann::json transform = {{"kind", "hadamard"}, {"size", size}};
  if (inner != 1) transform["inner"] = inner;
  model.add_transform(layer.prefix + module_before(place), std::move(transform));
}

void add_head_hadamard(PtqModel& model, LayerWeights& layer) {
  const int64_t d = model.description.head_dim;
  hadamard_order(d);
  model.add_transform(layer.prefix + "self_attn.rotary", {{"kind", "hadamard"}, {"size", d}});
}

void scale_channels(PtqModel& model, LayerWeights& layer, Place place, std::span<const double> s) {
  const auto divide_norm = [&](at::Tensor& norm) {
    auto* w = norm.data_ptr<float>();
    for (size_t k = 0; k < s.size(); ++k) w[k] = float(double(w[k]) / s[k]);
  };
  switch (place) {
    case Place::qkv:
      divide_norm(layer.input_norm);
      break;
    case Place::o:
      if (model.description.heads != model.description.kv_heads)
        throw UsageError(layer.prefix +
                         "self_attn.o_proj: scales of its input need as many value "
                         "heads as query heads");
      divide_rows(layer[Linear::v], s);
      break;
    case Place::gate_up:
      divide_norm(layer.post_attention_norm);
      break;
    case Place::down:
      divide_rows(layer[Linear::up], s);
      break;
  }
  for (const Linear linear : linears_at(place)) multiply_columns(layer[linear].weight, s);
}

at::Tensor bounded_weight(const LinearWeights& linear, int64_t block) {
  return linear.clip.defined() ? clip_blocks(linear.weight, linear.clip, block) : linear.weight;
}

RowMap random_hadamard(int64_t n, uint64_t seed) {
  hadamard_order(n);
  std::vector<double> signs(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) signs[size_t(i)] = philox::word(seed, uint64_t(i)) & 1 ? -1 : 1;
  return [n, signs = std::move(signs)](double* rows, int64_t count) {
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < n; ++i) rows[r * n + i] *= signs[size_t(i)];
    hadamard_transform(rows, count, n);
  };
}

}  // namespace mxref
