#include "eval/validate/caught_products.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>

#include "emu/quantize.h"
#include "eval/validate/model_input.h"

namespace mxref {
namespace {

// A product small enough for the scalar definition has few output features, too.
constexpr int64_t caught_features = 32;

// Caught are layers of different K and position: the first block, the middle one, the last.
std::vector<std::string> caught_modules(int64_t layers) {
  std::vector<std::string> modules;
  for (int64_t layer : {int64_t(0), layers / 2, layers - 1})
    for (const char* part :
         {"self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"})
      modules.push_back("model.layers." + std::to_string(layer) + "." + part);
  return modules;
}

using Inputs = std::map<std::string, at::Tensor>;

// The inputs (M,K) of linear layers while the model reads `ids`, computed under `recipe`.
Inputs catch_inputs(const Checkpoint& checkpoint, const Recipe& recipe, const EngineTable& engines,
                    const std::vector<int64_t>& ids) {
  const auto model = load_model(checkpoint, recipe, engines);
  const std::vector<std::string> modules = caught_modules(model->layers());
  Inputs inputs;
  model->observe([&](const std::string& module, std::string_view role, const at::Tensor& values) {
    if (role == "input" && std::find(modules.begin(), modules.end(), module) != modules.end())
      inputs[module] = values.clone();
  });
  model->forward(model_input(ids, caught_tokens));
  return inputs;
}

GivenProduct given(const Checkpoint& checkpoint, const std::string& module, const at::Tensor& input,
                   const Conversion& a, const Conversion& b) {
  const HostTensor weight = checkpoint.tensor(module + ".weight");
  const int64_t K = weight.shape[1], N = std::min(weight.shape[0], caught_features);
  const float* x = input.data_ptr<float>();
  return {module,
          quantize({x, size_t(input.numel())}, {input.size(0), K}, a),
          quantize({weight.values.data(), size_t(N * K)}, {N, K}, b),
          {}};
}

}  // namespace

std::vector<GivenProduct> catch_products(const Checkpoint& checkpoint, const Recipe& recipe,
                                         const EngineTable& engines,
                                         const std::vector<int64_t>& ids) {
  std::vector<GivenProduct> products;
  for (const auto& [module, input] : catch_inputs(checkpoint, recipe, engines, ids))
    products.push_back(given(checkpoint, module, input, *recipe.activations.conversion,
                             *recipe.weights.conversion));
  return products;
}

}  // namespace mxref
