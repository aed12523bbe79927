// QuaRot (Ashkboos et al., arXiv 2404.00456): the whole stream of residual sums turned by a random
// Hadamard matrix, heads of the values turned with it undone in o, down's input turned on line;
// where the KV cache is quantized queries and keys are turned too.

#include "golden/models/hadamard.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

std::vector<MethodOption> no_options() { return {}; }

// Values by head, folded into v, and across heads on line: together a Hadamard matrix of the whole
// width. Where the number of heads has none (SmolLM2: 9) the whole is done on line.
void turn_values(PtqModel& model, LayerWeights& layer) {
  const int64_t heads = model.description.heads, d = model.description.head_dim;
  if (!has_hadamard_order(heads)) {
    add_hadamard(model, layer, Place::o, heads * d);
    return;
  }
  map_outputs(layer[Linear::v], [&](double* x, int64_t count) {
    hadamard_transform(x, count * model.description.kv_heads, d);
  });
  map_inputs(layer[Linear::o].weight,
             [&](double* x, int64_t count) { hadamard_transform(x, count * heads, d); });
  add_hadamard(model, layer, Place::o, heads, d);
}

void apply(PtqModel& model, const MethodContext& context) {
  const PtqModel& shape = model;
  for (const int64_t n : {shape.description.width, shape.width(Place::down)}) hadamard_order(n);
  fold_norms(model);
  rotate_residual(model, random_hadamard(model.description.width, context.seed));
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerWeights& layer = model.layers[i];
    turn_values(model, layer);
    add_hadamard(model, layer, Place::down, model.width(Place::down));
    if (context.recipe.kv.conversion) add_head_hadamard(model, layer);
    context.report("rotating", int64_t(i) + 1, int64_t(model.layers.size()));
  }
}

}  // namespace

const ModelChange quarot{"quarot", false, no_options, apply};

}  // namespace mxref::methods
