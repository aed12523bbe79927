#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "emu/crosscheck/crosscheck.h"
#include "emu/quantize.h"
#include "eval/validate/model_input.h"
#include "eval/validate/validate.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// A product small enough for the scalar definition: so many tokens, so many output features.
constexpr int64_t caught_tokens = 8, caught_features = 32;

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
Inputs catch_inputs(const Subject& subject, const Recipe& recipe) {
  const auto model = load_model(subject.checkpoint, recipe, subject.engines);
  const std::vector<std::string> modules = caught_modules(model->layers());
  Inputs inputs;
  model->observe_linears([&](const std::string& module, const at::Tensor& input) {
    if (std::find(modules.begin(), modules.end(), module) != modules.end())
      inputs[module] = input.clone();
  });
  model->forward(model_input(subject.calibration, caught_tokens));
  return inputs;
}

GivenProduct given(const Subject& subject, const std::string& module, const at::Tensor& input,
                   const Conversion& a, const Conversion& b) {
  const HostTensor weight = subject.checkpoint.tensor(module + ".weight");
  const int64_t K = weight.shape[1], N = std::min(weight.shape[0], caught_features);
  const float* x = input.data_ptr<float>();
  return {module,
          quantize({x, size_t(input.numel())}, {input.size(0), K}, a),
          quantize({weight.values.data(), size_t(N * K)}, {N, K}, b),
          {}};
}

}  // namespace

Results validate_agreement(const Subject& subject, const TaskProgress& progress) {
  CrosscheckOptions options;
  options.seed = subject.seed;
  options.progress = progress;
  for (const Recipe& recipe : subject.recipes) {
    if (!recipe.activations.conversion || !recipe.weights.conversion) continue;
    for (const auto& [module, input] : catch_inputs(subject, recipe))
      options.given.push_back(given(subject, module, input, *recipe.activations.conversion,
                                    *recipe.weights.conversion));
  }
  const CrosscheckReport report = crosscheck(subject.engines, options);

  Results results;
  for (const CrosscheckRow& row : report.rows) {
    results.push_back({{"task", "crosscheck"},
                       {"implementation", row.implementation},
                       {"source", row.source},
                       {"format_a", row.format_a},
                       {"format_b", row.format_b},
                       {"datapath", row.datapath},
                       {"compared", row.compared},
                       {"mismatches", row.mismatches}});
    if (!row.refused.empty()) results.back()["refused"] = row.refused;
  }
  for (const CrosscheckControl& control : report.controls)
    results.push_back({{"task", "control"}, {"name", control.name}, {"caught", control.caught}});
  for (const std::string& failure : report.failures)
    results.push_back({{"task", "failure"}, {"text", failure}});
  return results;
}

}  // namespace mxref
