// QuaRot (Ashkboos et al., arXiv 2404.00456): the whole stream of residual sums turned by a random
// Hadamard matrix; the heads of values turned, which o undoes behind a turn of its whole input;
// down's input turned on line; where the KV cache is quantized queries and keys are turned too.

#include <ATen/ops/ones.h>

#include <bit>
#include <cmath>
#include <limits>

#include "emu/error.h"
#include "emu/kernels/parts.h"
#include "emu/quantize.h"
#include "golden/models/hadamard.h"
#include "golden/models/tensor_values.h"
#include "ptq/learning/functions.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

// Of the search for bounds of weights: 1 - i/100 for i below the steps, by Σ|error|^norm.
constexpr int64_t bound_steps = 80;
constexpr float bound_norm = 2.4f;

std::vector<MethodOption> options() {
  return {{.name = "weight_clip",
           .kind = Kind::flag,
           .default_value = "false",
           .what = "bound each output row of weights by search: blocks at 1 - i/100 of their "
                   "largest, i from 0 to 79"},
          {.name = "activation_clip",
           .kind = Kind::number,
           .default_value = "1",
           .least = 0.01,
           .most = 1,
           .what = "bound of each block of activations, of its largest"}};
}

RecipeSides sides(const OptionValues& options) {
  return {.weights = options.flag("weight_clip"),
          .activations = options.number("activation_clip") < 1,
          .kv = true};
}

// Values by head, folded into v and o; on line what is missing to the Hadamard matrix of o's whole
// width, H_n = H_core ⊗ S_power: H_heads across the heads, or, where there is none (9 heads of 64:
// H_36 ⊗ S_16), H_core behind a second turn by S_(d/power), which undoes that part of the heads'.
// Where neither is known nothing runs on line.
void turn_values(PtqModel& model, LayerWeights& layer) {
  const int64_t heads = model.description.heads, d = model.description.head_dim;
  map_outputs(layer[Linear::v], [&](double* x, int64_t count) {
    hadamard_transform(x, count * model.description.kv_heads, d);
  });
  map_inputs(layer[Linear::o].weight,
             [&](double* x, int64_t count) { hadamard_transform(x, count * heads, d); });
  if (has_hadamard_order(heads)) {
    add_hadamard(model, layer, Place::o, heads, d);
  } else if (std::has_single_bit(uint64_t(d)) && has_hadamard_order(heads * d)) {
    const auto [core, power] = hadamard_order(heads * d);
    add_hadamard(model, layer, Place::o, d / power, power);
    add_hadamard(model, layer, Place::o, core, power);
  }
}

// w (N,K) → the bound of each row (N) with the least error.
at::Tensor searched_bounds(const at::Tensor& w, const Conversion& conversion) {
  const int64_t N = w.size(0), K = w.size(1);
  at::Tensor bounds = at::ones({N}, at::kFloat);
  std::vector<double> least(size_t(N), std::numeric_limits<double>::infinity());
  for (int64_t step = 0; step < bound_steps; ++step) {
    const at::Tensor ratio = at::ones({N}, at::kFloat) * (1 - double(step) / 100);
    const std::vector<float> rounded = dequantize(
        quantize(values_of(clip_blocks(w, ratio, conversion.block)), {N, K}, conversion));
    for_each_range(N, 16, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        double error = 0;
        for (int64_t i = n * K; i < (n + 1) * K; ++i)
          error += std::pow(std::abs(w.data_ptr<float>()[i] - rounded[size_t(i)]), bound_norm);
        if (error >= least[size_t(n)]) continue;
        least[size_t(n)] = error;
        bounds.data_ptr<float>()[n] = ratio.data_ptr<float>()[n];
      }
    });
  }
  return bounds;
}

void bound_weights(LayerWeights& layer, const Recipe& recipe) {
  for (const Linear linear : all_linears)
    if (const auto conversion = linear_recipe(recipe, layer.module(linear)).weights.conversion)
      layer[linear].clip = searched_bounds(layer[linear].weight, *conversion);
}

// The block of what comes in at a place, where the recipe quantizes it.
std::optional<int> activation_block(const Recipe& recipe, const LayerWeights& layer, Place place) {
  for (const Linear linear : linears_at(place))
    if (const auto side = linear_recipe(recipe, layer.module(linear)).activations.conversion)
      return side->block;
  return std::nullopt;
}

// Behind everything else that runs on line there.
void bound_activations(PtqModel& model, const LayerWeights& layer, const Recipe& recipe,
                       double ratio) {
  for (const Place place : all_places)
    if (const auto block = activation_block(recipe, layer, place))
      model.add_transform(layer.prefix + module_before(place),
                          {{"kind", "clip"}, {"ratio", float(ratio)}, {"block", *block}});
}

void check_activation_clip(const PtqModel& model, const Recipe& recipe) {
  for (const LayerWeights& layer : model.layers)
    for (const Place place : all_places)
      if (activation_block(recipe, layer, place)) return;
  throw UsageError("option activation_clip: the recipe quantizes no activations");
}

void apply(PtqModel& model, const MethodContext& context) {
  const DecoderDescription& shape = model.description;
  const int64_t down = model.width(Place::down);
  for (const int64_t n : {shape.width, shape.head_dim, down}) hadamard_order(n);
  const double activation_clip = context.options.number("activation_clip");
  if (activation_clip < 1) check_activation_clip(model, context.recipe);
  fold_norms(model);
  rotate_residual(model, random_hadamard(shape.width, context.seed));
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerWeights& layer = model.layers[i];
    turn_values(model, layer);
    add_hadamard(model, layer, Place::down, down);
    if (context.recipe.kv.conversion) add_head_hadamard(model, layer);
    if (context.options.flag("weight_clip")) bound_weights(layer, context.recipe);
    if (activation_clip < 1) bound_activations(model, layer, context.recipe, activation_clip);
    context.report("rotating", int64_t(i) + 1, int64_t(model.layers.size()));
  }
}

}  // namespace

const ModelChange quarot{{"quarot", {.seed = true}, sides, options}, true, apply};

}  // namespace mxref::methods
