#include "ptq/learning/learned_layer.h"

#include <ATen/ops/empty.h>
#include <ATen/TensorOperators.h>

#include <vector>

#include "golden/models/rest.h"
#include "ptq/learning/functions.h"

namespace mxref {
namespace {

// An input and what it is rounded to, once for all layers that round alike.
class RoundedInput {
 public:
  RoundedInput(at::Tensor x, const LayerQuantizers& quantizers)
      : x_(std::move(x)), quantizers_(quantizers) {}

  at::Tensor linear(const LayerWeights& layer, Linear linear) {
    const LinearWeights& own = layer[linear];
    const at::Tensor y = multiply(rounded(quantizers_.activations[size_t(linear)]), false,
                                  round_to(own.weight, quantizers_.weights[size_t(linear)]), true);
    return own.bias.defined() ? y + own.bias : y;
  }

 private:
  static at::Tensor round_to(const at::Tensor& x, const RecipeSide& side) {
    return side.conversion || side.format == "bf16" ? straight_through(x, side) : x;
  }
  const at::Tensor& rounded(const RecipeSide& side) {
    for (const auto& [known, values] : seen_)
      if (known == side) return values;
    return seen_.emplace_back(side, round_to(x_, side)).second;
  }

  at::Tensor x_;
  const LayerQuantizers& quantizers_;
  std::vector<std::pair<RecipeSide, at::Tensor>> seen_;
};

at::Tensor mapped(const TensorMap& map, const at::Tensor& x) { return map ? map(x) : x; }

}  // namespace

LayerQuantizers quantizers_of(const Recipe& recipe, const LayerWeights& layer) {
  LayerQuantizers quantizers;
  for (const Linear linear : all_linears) {
    const LinearRecipe own = linear_recipe(recipe, layer.module(linear));
    quantizers.weights[size_t(linear)] = own.weights;
    quantizers.activations[size_t(linear)] = own.activations;
  }
  quantizers.keys = quantizers.values = recipe.kv;
  return quantizers;
}

LearnedLayer::LearnedLayer(const DecoderDescription& description, int64_t length)
    : description_(description),
      cos_(at::empty({length, description.head_dim / 2}, at::kFloat)),
      sin_(at::empty({length, description.head_dim / 2}, at::kFloat)) {
  const Rest& rest = library_rest();
  rest.angles(rest.frequencies(description.rope, description.head_dim), 0, cos_, sin_);
}

at::Tensor LearnedLayer::norm(const at::Tensor& x, const at::Tensor& weight) const {
  const at::Tensor y = unit_rms(x, description_.norm_eps);
  return weight.defined() ? y * weight : y;
}

at::Tensor LearnedLayer::attention_half(const LayerWeights& layer, const LayerMaps& maps,
                                        const LayerQuantizers& quantizers, const at::Tensor& x,
                                        int64_t sequences) const {
  const int64_t d = description_.head_dim;
  RoundedInput input(mapped(maps.places[size_t(Place::qkv)], norm(x, layer.input_norm)),
                     quantizers);
  // By head: on-line map, then the cache's quantizer.
  const auto by_head = [d](const at::Tensor& rows, const TensorMap& map, const RecipeSide& side) {
    if (!map && !side.conversion) return rows;
    at::Tensor heads = mapped(map, rows.view({-1, d}));
    if (side.conversion) heads = straight_through(heads, side);
    return heads.view(rows.sizes());
  };
  const at::Tensor q = rotate_pairs(input.linear(layer, Linear::q), cos_, sin_, sequences),
                   k = rotate_pairs(input.linear(layer, Linear::k), cos_, sin_, sequences),
                   v = by_head(input.linear(layer, Linear::v), {}, quantizers.values);
  const at::Tensor mixed = causal_attention(
      by_head(q, maps.queries, {}), by_head(k, maps.keys, quantizers.keys), v, sequences, d);
  RoundedInput out(mapped(maps.places[size_t(Place::o)], mixed), quantizers);
  return x + out.linear(layer, Linear::o);
}

at::Tensor LearnedLayer::mlp_half(const LayerWeights& layer, const LayerMaps& maps,
                                  const LayerQuantizers& quantizers, const at::Tensor& x) const {
  RoundedInput input(
      mapped(maps.places[size_t(Place::gate_up)], norm(x, layer.post_attention_norm)), quantizers);
  const at::Tensor gate = input.linear(layer, Linear::gate), up = input.linear(layer, Linear::up);
  RoundedInput middle(mapped(maps.places[size_t(Place::down)], gated_silu(gate, up)), quantizers);
  return x + middle.linear(layer, Linear::down);
}

at::Tensor LearnedLayer::run(const LayerWeights& layer, const LayerMaps& maps,
                             const LayerQuantizers& quantizers, const at::Tensor& x,
                             int64_t sequences) const {
  return mlp_half(layer, maps, quantizers, attention_half(layer, maps, quantizers, x, sequences));
}

}  // namespace mxref
