#include "ptq/method.h"

#include <algorithm>
#include <chrono>

#include "emu/error.h"
#include "emu/quantize.h"
#include "golden/models/families.h"
#include "golden/models/tensor_values.h"
#include "golden/torch_threads.h"
#include "ptq/methods/methods.h"

namespace mxref {

const std::vector<Method>& all_methods() {
  using namespace methods;
  static const std::vector<Method> table{
      {"rtn", &no_change, &nearest, "round to nearest"},
      {"smoothquant", &smoothquant, &nearest,
       "scales of channels moved from activations to weights (arXiv 2211.10438)"},
      {"smoothquant+gptq", &smoothquant, &gptq, "SmoothQuant, codes by GPTQ"},
      {"awq", &awq, &clipped, "scales of channels and clipping by search (arXiv 2306.00978)"},
      {"gptq", &no_change, &gptq, "errors of columns made up for by later ones (arXiv 2210.17323)"},
      {"mr-gptq", &block_hadamard, &mr_gptq,
       "Hadamard rotations of blocks, GPTQ under fixed scales (arXiv 2509.23202)"},
      {"quarot", &quarot, &nearest,
       "random Hadamard rotations of the whole model (arXiv 2404.00456)"},
      {"quarot+gptq", &quarot, &gptq, "QuaRot, codes by GPTQ"},
      {"spinquant", &spinquant, &nearest,
       "rotations of the whole model, learned (arXiv 2405.16406)"},
      {"spinquant+gptq", &spinquant_activations, &gptq,
       "SpinQuant, learned with weights as they are, codes by GPTQ"},
      {"flatquant", &flatquant, &nearest,
       "affine maps in front of linear layers, learned (arXiv 2410.09426)"},
      {"flatquant+gptq", &flatquant, &gptq, "FlatQuant, codes by GPTQ"},
  };
  return table;
}

const Method& method(std::string_view name) { return find_by_name(all_methods(), "method", name); }

std::vector<MethodOption> Method::options() const {
  std::vector<MethodOption> rows = change->options();
  for (const MethodOption& row : choice->options())
    if (std::ranges::find(rows, row.name, &MethodOption::name) == rows.end()) rows.push_back(row);
  return rows;
}

// An override that states none of the sides still hides those before it.
Recipe with_sides(const Recipe& recipe, RecipeSides sides) {
  Recipe seen;
  if (sides.weights) seen.weights = recipe.weights;
  if (sides.activations) seen.activations = recipe.activations;
  if (sides.kv) seen.kv = recipe.kv;
  if (sides.attention) seen.attention = recipe.attention;
  if (!sides.weights && !sides.activations) return seen;
  seen.skip = recipe.skip;
  seen.overrides = recipe.overrides;
  for (RecipeOverride& item : seen.overrides) {
    if (!sides.weights) item.weights.reset();
    if (!sides.activations) item.activations.reset();
  }
  return seen;
}

namespace {

// The options that one part of a method has.
OptionValues options_of(const MethodPart& part, const Method& method,
                        const std::map<std::string, std::string>& given) {
  const OptionValues all(method.options(), given);  // refuses what neither part has
  const std::vector<MethodOption> rows = part.options();
  std::map<std::string, std::string> own;
  for (const auto& [name, value] : given)
    if (std::ranges::find(rows, name, &MethodOption::name) != rows.end()) own[name] = value;
  return {rows, own};
}

nlohmann::ordered_json inputs_of(const MethodPart& part, const Method& method,
                                 const MethodInputs& inputs) {
  const OptionValues options = options_of(part, method, inputs.options);
  nlohmann::ordered_json own = {
      {"name", part.name},
      {"options", options.to_json()},
      {"recipe", to_json(with_sides(inputs.recipe, part.sides(options)))}};
  if (part.needs.calibration && inputs.calibration)
    own["calibration"] = to_json(*inputs.calibration);
  if (part.needs.seed) own["seed"] = inputs.seed;
  return own;
}

void check(const Method& method, const MethodRequest& request) {
  if (method.needs_calibration() && !request.calibration)
    throw UsageError("method " + std::string(method.name) + " needs --calibration");
  if (!request.recipe.weights.conversion &&
      std::ranges::none_of(request.recipe.overrides, [](const RecipeOverride& item) {
        return item.weights && item.weights->conversion;
      }))
    throw UsageError("the recipe '" + request.recipe.name +
                     "' quantizes no weights: there is nothing to do");
}

MethodInputs inputs_of(const PtqModel& model, const MethodRequest& request) {
  MethodInputs inputs{.model_sha256 = model.sha256,
                      .config_sha256 = model.config_sha256,
                      .recipe = request.recipe,
                      .options = request.options,
                      .calibration = {},
                      .seed = request.seed};
  if (request.calibration) inputs.calibration = request.calibration->draw();
  return inputs;
}

// work(context) of a part, with its record and its time under `field`.
template <typename Work>
auto run_part(const MethodPart& part, const char* field, const Method& method,
              const MethodRequest& request, const nlohmann::ordered_json& inputs,
              nlohmann::ordered_json& record, const Work& work) {
  const OptionValues options = options_of(part, method, request.options);
  const Recipe recipe = with_sides(request.recipe, part.sides(options));
  nlohmann::ordered_json own = {{"name", part.name}, {"options", options.to_json()}};
  const MethodContext context{.recipe = recipe,
                              .options = options,
                              .calibration = part.needs.calibration ? request.calibration : nullptr,
                              .seed = part.needs.seed ? request.seed : 0,
                              .inputs = inputs,
                              .state = request.state,
                              .learned = request.learned,
                              .progress = request.progress,
                              .record = own};
  const auto start = std::chrono::steady_clock::now();
  struct Finish {
    nlohmann::ordered_json &record, &own;
    const char* field;
    std::chrono::steady_clock::time_point start;
    ~Finish() {
      own["seconds"] =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      record[field] = std::move(own);
    }
  } finish{record, own, field, start};
  return work(context);
}

// lm_head, where the recipe quantizes it and the choice has left it.
void round_head(PtqModel& model, const Recipe& recipe, ModelCodes& codes) {
  const std::string name = std::string(head_module) + ".weight";
  const auto conversion = linear_recipe(recipe, head_module).weights.conversion;
  if (!conversion || codes.contains(name)) return;
  model.untie();
  codes[name] = quantize(values_of(model.lm_head), model.lm_head.sizes().vec(), *conversion);
}

}  // namespace

std::unique_ptr<MemoryCheckpoint> outline(const Method& method, const Checkpoint& source,
                                          const Recipe& recipe) {
  const std::vector<std::string> modules = linear_modules(describe(source).layers);
  check_patterns(recipe, modules);
  auto result = std::make_unique<MemoryCheckpoint>(source.config(), source.path(), source.sha256());
  if (method.change->runs_on_line)
    result->config()["mxref"]["transforms"] = nlohmann::json::array({method.change->name});
  for (const std::string& module : modules) {
    const auto conversion = linear_recipe(recipe, module).weights.conversion;
    const std::string name = module + ".weight";
    const bool tied = module == head_module && !source.has(name);
    if (conversion)
      result->set(
          name,
          MxTensor{*conversion, source.shape(tied ? "model.embed_tokens.weight" : name), {}, {}});
  }
  return result;
}

nlohmann::ordered_json inputs_of_change(const Method& method, const MethodInputs& inputs) {
  return {{"model", {{"sha256", inputs.model_sha256}, {"config_sha256", inputs.config_sha256}}},
          {"change", inputs_of(*method.change, method, inputs)}};
}

nlohmann::ordered_json inputs_of_codes(const Method& method, const MethodInputs& inputs) {
  nlohmann::ordered_json all = inputs_of_change(method, inputs);
  all["codes"] = inputs_of(*method.choice, method, inputs);
  return all;
}

PtqModel change_model(const Method& method, const Checkpoint& source, const MethodRequest& request,
                      nlohmann::ordered_json& record) {
  adopt_threads();
  check(method, request);
  PtqModel model = read_model(source);
  check_patterns(request.recipe, linear_modules(model.description.layers));
  run_part(*method.change, "change", method, request,
           inputs_of_change(method, inputs_of(model, request)), record,
           [&](const MethodContext& context) { method.change->apply(model, context); });
  return model;
}

std::unique_ptr<MemoryCheckpoint> choose_codes(const Method& method, PtqModel model,
                                               const MethodRequest& request,
                                               nlohmann::ordered_json& record) {
  adopt_threads();
  check(method, request);
  const ModelCodes codes = run_part(*method.choice, "codes", method, request,
                                    inputs_of_codes(method, inputs_of(model, request)), record,
                                    [&](const MethodContext& context) {
                                      ModelCodes chosen = method.choice->choose(model, context);
                                      round_head(model, context.recipe, chosen);
                                      return chosen;
                                    });
  nlohmann::json own = {{"recipe", to_json(request.recipe)},
                        {"method",
                         {{"name", method.name},
                          {"options", OptionValues(method.options(), request.options).to_json()},
                          {"seed", request.seed}}}};
  if (const Calibration* calibration = request.calibration;
      calibration && method.needs_calibration()) {
    nlohmann::json& described = own["method"]["calibration"];
    described = {{"sha256", calibration->text_sha256},
                 {"samples", calibration->samples.size()},
                 {"length", calibration->length},
                 {"seed", calibration->seed}};
    // A file may be called anything: what is written has no path.
    if (!calibration->asset.empty()) described["text"] = calibration->asset;
  }
  return to_checkpoint(model, codes, std::move(own));
}

std::unique_ptr<MemoryCheckpoint> quantize_model(const Method& method, const Checkpoint& source,
                                                 const MethodRequest& request,
                                                 nlohmann::ordered_json& record) {
  return choose_codes(method, change_model(method, source, request, record), request, record);
}

}  // namespace mxref
