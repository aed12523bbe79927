// RTN: the recipe's own conversion, and no change of the model.

#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

std::vector<MethodOption> no_options() { return {}; }

ModelCodes choose(PtqModel& model, const MethodContext& context) {
  ModelCodes codes;
  for (const LayerWeights& layer : model.layers)
    for (const Linear linear : all_linears) {
      const std::string module = layer.module(linear);
      const auto side = linear_recipe(context.recipe, module).weights;
      if (!side.conversion) continue;
      const at::Tensor w = bounded_weight(layer[linear], side.conversion->block);
      codes[module + ".weight"] = quantize(values_of(w), w.sizes().vec(), *side.conversion);
    }
  return codes;
}

}  // namespace

const ModelChange no_change{
    {"", {}, always<RecipeSides{}>, no_options}, false, [](PtqModel&, const MethodContext&) {}};
const CodeChoice nearest{{"rtn", {}, always<RecipeSides{.weights = true}>, no_options}, choose};

}  // namespace mxref::methods
