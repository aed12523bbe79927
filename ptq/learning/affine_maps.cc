#include "ptq/learning/affine_maps.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "emu/kernels/parts.h"
#include "ptq/learning/functions.h"
#include "ptq/linear_algebra.h"

namespace mxref {
namespace {

at::Tensor leaf(at::Tensor x) { return x.set_requires_grad(true); }

// A stream of random words for each matrix.
uint64_t seed_of(uint64_t seed, size_t layer, size_t matrix) {
  return seed + 0x9E3779B97F4A7C15u * (16 * layer + matrix + 1);
}

// What a learned matrix is when it is stored in binary32, and the inverse of that.
struct Stored {
  explicit Stored(const LearnedMatrix& learned, const char* name)
      : n(learned.size()), tensor(learned.evaluate().matrix.detach().contiguous()) {
    const auto* values = tensor.data_ptr<float>();
    matrix.assign(values, values + n * n);
    const Matrix64 inverted = inverse(matrix, n, name);
    inverse_transposed.resize(inverted.size());
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j)
        inverse_transposed[size_t(i * n + j)] = inverted[size_t(j * n + i)];
  }
  int64_t n;
  at::Tensor tensor;
  Matrix64 matrix, inverse_transposed;
};

// rows of (a,b) → leftᵀ·X·right.
RowMap kronecker_rows(const Matrix64& left, int64_t a, const Matrix64& right, int64_t b) {
  return [&left, a, &right, b](double* rows, int64_t count) {
    const Matrix64 by_right = product({rows, b}, {right.data(), b}, count * a, b, b);
    std::fill(rows, rows + count * a * b, 0.0);
    for_each_range(count, 8, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t i = 0; i < a; ++i)
          for (int64_t k = 0; k < a; ++k) {
            const double factor = left[size_t(k * a + i)];
            const double* const x = &by_right[size_t((row * a + k) * b)];
            double* const y = rows + (row * a + i) * b;
            for (int64_t j = 0; j < b; ++j) y[j] += factor * x[j];
          }
    });
  };
}

// Heads of v's output, rows of its weights, times p (d,d).
at::Tensor map_heads(const at::Tensor& weight, const at::Tensor& p) {
  const at::Tensor columns = weight.t().contiguous();
  return multiply(columns.view({-1, p.size(0)}), false, p, false)
      .view(columns.sizes())
      .t()
      .contiguous();
}

}  // namespace

LearnedMatrix::LearnedMatrix(int64_t n, uint64_t seed)
    : u(leaf(at::zeros({n, n}, at::kDouble))),
      v(leaf(at::zeros({n, n}, at::kDouble))),
      log_diagonal(leaf(at::zeros({n}, at::kDouble))),
      n_(n),
      u_start_(square_tensor(random_orthogonal(n, seed), n)),
      v_start_(square_tensor(random_orthogonal(n, ~seed), n)) {}

LearnedMatrix::Both LearnedMatrix::evaluate() const {
  const at::Tensor U = multiply(u_start_, false, cayley(u), false),
                   V = multiply(v_start_, false, cayley(v), false);
  return {multiply(U * log_diagonal.exp(), false, V, true).to(at::kFloat),
          multiply(U * (-log_diagonal).exp(), false, V, true).to(at::kFloat)};
}

std::pair<int64_t, int64_t> kronecker_sizes(int64_t n) {
  for (auto a = int64_t(std::ceil(std::sqrt(double(n)))); a <= n; ++a) {
    const auto b = int64_t(std::llround(std::sqrt(double(a * a - n))));
    if (a * a - b * b == n) return {a - b, a + b};
  }
  return {1, n};  // twice an odd number is no difference of squares
}

AffineMaps::AffineMaps(const PtqModel& model, size_t layer, const LayerQuantizers& quantizers,
                       const AffineSettings& settings, uint64_t seed)
    : model_(model), layer_(layer), quantizers_(quantizers) {
  const int64_t d = model.description.head_dim;
  const auto clip = [&](at::IntArrayRef shape) {
    return leaf(at::full(shape, settings.clip_start, at::kDouble));
  };
  for (const Place place : all_places) {
    const int64_t n = model.width(place);
    const auto [a, b] =
        place == Place::o ? std::pair{model.description.heads, d} : kronecker_sizes(n);
    PlaceMap& map = places_.emplace_back(
        PlaceMap{.left = LearnedMatrix(a, seed_of(seed, layer, 2 * size_t(place))),
                 .right = LearnedMatrix(b, seed_of(seed, layer, 2 * size_t(place) + 1)),
                 .log_diagonal = {},
                 .clip = {}});
    if (settings.diagonals && place != Place::o)
      map.log_diagonal = leaf(at::zeros({n}, at::kDouble));
    for (const Linear linear : linears_at(place)) {
      const auto& activations = quantizers.activations[size_t(linear)].conversion;
      if (settings.activation_clips && activations && !map.clip.defined()) {
        map.clip = clip({1});
        map.block = activations->block;
      }
      if (settings.weight_clips && quantizers.weights[size_t(linear)].conversion)
        weight_clips_[size_t(linear)] = clip({model.layers[layer][linear].weight.size(0), 1});
    }
  }
  if (quantizers.keys.conversion) keys_.emplace(d, seed_of(seed, layer, 8));
}

void AffineMaps::start_diagonal(Place place, const std::vector<double>& scales) {
  at::Tensor& logs = places_[size_t(place)].log_diagonal;
  if (!logs.defined()) return;
  at::Tensor start = at::empty({int64_t(scales.size())}, at::kDouble);
  std::ranges::transform(scales, start.data_ptr<double>(), [](double s) { return std::log(s); });
  logs = leaf(start);
}

std::map<std::string, at::Tensor> AffineMaps::maps() const {
  std::map<std::string, at::Tensor> all;
  const auto add = [&](const std::string& name, const LearnedMatrix& matrix) {
    all[name + ".u"] = matrix.u;
    all[name + ".v"] = matrix.v;
    all[name + ".log_diagonal"] = matrix.log_diagonal;
  };
  for (const Place place : all_places) {
    const std::string name = module_before(place);
    const PlaceMap& map = places_[size_t(place)];
    add(name + ".left", map.left);
    add(name + ".right", map.right);
    if (map.log_diagonal.defined()) all[name + ".log_scales"] = map.log_diagonal;
  }
  if (keys_) add("keys", *keys_);
  return all;
}

std::map<std::string, at::Tensor> AffineMaps::clips() const {
  std::map<std::string, at::Tensor> all;
  for (const Place place : all_places)
    if (const at::Tensor& clip = places_[size_t(place)].clip; clip.defined())
      all[std::string(module_before(place)) + ".clip"] = clip;
  for (const Linear linear : all_linears)
    if (const at::Tensor& clip = weight_clips_[size_t(linear)]; clip.defined())
      all[std::string(name_of(linear)) + ".clip"] = clip;
  return all;
}

at::Tensor AffineMaps::map_weight(Linear linear, const at::Tensor& weight,
                                  const LearnedMatrix::Both& left,
                                  const LearnedMatrix::Both& right) const {
  const PlaceMap& map = places_[size_t(place_of(linear))];
  at::Tensor w = weight;
  if (map.log_diagonal.defined()) w = w * (-map.log_diagonal).exp().to(at::kFloat);
  w = kronecker_map(w, left.inverse_transposed, right.inverse_transposed);
  if (const at::Tensor& clip = weight_clips_[size_t(linear)]; clip.defined())
    w = clip_blocks(w, clip.sigmoid().to(at::kFloat),
                    quantizers_.weights[size_t(linear)].conversion->block);
  return w;
}

AffineMaps::Quantized AffineMaps::evaluate() const {
  const LayerWeights& layer = model_.layers[layer_];
  Quantized result{layer, {}};
  std::vector<LearnedMatrix::Both> left, right;
  for (const PlaceMap& map : places_) {
    left.push_back(map.left.evaluate());
    right.push_back(map.right.evaluate());
  }
  const auto scales = [&](Place place) {
    return places_[size_t(place)].log_diagonal.exp().to(at::kFloat);
  };
  LayerWeights& weights = result.weights;
  if (places_[0].log_diagonal.defined()) {
    weights.input_norm = layer.input_norm * scales(Place::qkv);
    weights.post_attention_norm = layer.post_attention_norm * scales(Place::gate_up);
    LinearWeights& up = weights[Linear::up];
    up.weight = up.weight * scales(Place::down).unsqueeze(1);
    if (up.bias.defined()) up.bias = up.bias * scales(Place::down);
  }
  const at::Tensor& of_values = right[size_t(Place::o)].matrix;
  LinearWeights& v = weights[Linear::v];
  v.weight = map_heads(v.weight, of_values);
  if (v.bias.defined())
    v.bias = multiply(v.bias.view({-1, of_values.size(0)}), false, of_values, false).view({-1});
  for (const Linear linear : all_linears) {
    const auto place = size_t(place_of(linear));
    weights[linear].weight = map_weight(linear, weights[linear].weight, left[place], right[place]);
  }
  for (const Place place : all_places) {
    const PlaceMap& map = places_[size_t(place)];
    // The values have the map of a head's elements already.
    const at::Tensor a = left[size_t(place)].matrix, b = place == Place::o
                                                             ? at::eye(map.right.size(), at::kFloat)
                                                             : right[size_t(place)].matrix;
    const at::Tensor ratio = map.clip.defined() ? map.clip.sigmoid().to(at::kFloat) : at::Tensor();
    result.maps.places[size_t(place)] = [a, b, ratio, block = map.block](const at::Tensor& x) {
      const at::Tensor y = kronecker_map(x, a, b);
      return ratio.defined() ? clip_blocks(y, ratio, block) : y;
    };
  }
  if (keys_) {
    const LearnedMatrix::Both both = keys_->evaluate();
    result.maps.keys = [both](const at::Tensor& x) {
      return multiply(x, false, both.matrix, false);
    };
    result.maps.queries = [both](const at::Tensor& x) {
      return multiply(x, false, both.inverse_transposed, false);
    };
  }
  return result;
}

void AffineMaps::fold_place(PtqModel& model, LayerWeights& layer, Place place) const {
  const PlaceMap& map = places_[size_t(place)];
  const std::string module = layer.prefix + module_before(place), name = "mxref." + module;
  if (map.log_diagonal.defined()) {
    const auto* logs = map.log_diagonal.data_ptr<double>();
    std::vector<double> divisors(size_t(map.log_diagonal.numel()));
    for (size_t k = 0; k < divisors.size(); ++k) divisors[k] = std::exp(-logs[k]);
    scale_channels(model, layer, place, divisors);
  }
  const Stored left(map.left, module.c_str()), right(map.right, module.c_str());
  for (const Linear linear : linears_at(place))
    map_inputs(layer[linear].weight,
               kronecker_rows(left.inverse_transposed, left.n, right.inverse_transposed, right.n));
  nlohmann::json transform = {{"kind", "kronecker"}, {"left", name + ".left"}};
  model.transform_tensors[name + ".left"] = left.tensor;
  if (place == Place::o) {
    map_outputs(layer[Linear::v], blockwise_map(right.matrix, right.n, model.description.kv_heads));
  } else {
    transform["right"] = name + ".right";
    model.transform_tensors[name + ".right"] = right.tensor;
  }
  model.add_transform(module, std::move(transform));
  if (map.clip.defined())
    model.add_transform(module,
                        {{"kind", "clip"},
                         {"ratio", map.clip.detach().sigmoid().to(at::kFloat).item<float>()},
                         {"block", map.block}});
}

void AffineMaps::fold(PtqModel& model) const {
  LayerWeights& layer = model.layers[layer_];
  for (const Place place : all_places) fold_place(model, layer, place);
  for (const Linear linear : all_linears)
    if (const at::Tensor& clip = weight_clips_[size_t(linear)]; clip.defined())
      layer[linear].clip = clip.detach().sigmoid().to(at::kFloat).view({-1});
  if (!keys_) return;
  const std::string module = layer.prefix + "self_attn.rotary", name = "mxref." + module;
  const Stored keys(*keys_, module.c_str());
  at::Tensor queries = at::empty({keys.n, keys.n}, at::kFloat);
  std::ranges::transform(keys.inverse_transposed, queries.data_ptr<float>(),
                         [](double x) { return float(x); });
  model.transform_tensors[name + ".matrix"] = keys.tensor;
  model.transform_tensors[name + ".inverse"] = queries;
  model.add_transform(
      module, {{"kind", "affine"}, {"matrix", name + ".matrix"}, {"inverse", name + ".inverse"}});
}

}  // namespace mxref
