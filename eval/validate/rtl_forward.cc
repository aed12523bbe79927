#include <ATen/core/Tensor.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "emu/error.h"
#include "eval/validate/model_input.h"
#include "eval/validate/paired_engine.h"
#include "eval/validate/validate.h"
#include "golden/models/tensor_values.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// As many of SmolLM2-135M as two cores take through the Verilated array in about a minute.
constexpr int64_t rtl_tokens = 384;
constexpr int64_t linear_layers_of_block = 7;  // q, k, v, o, gate, up, down

// "model.layers.7.mlp.up_proj" → "mlp.up_proj"
std::string part_of(const std::string& module) {
  const std::string prefix = "model.layers.";
  if (!module.starts_with(prefix)) return module;
  return module.substr(module.find('.', prefix.size()) + 1);
}

// The calls of a pass, those of the same part of different layers together, in order of appearance.
ordered_json sums_by_part(const std::vector<PairedCall>& calls) {
  ordered_json table = ordered_json::array();
  std::map<std::string, size_t> places;
  for (const PairedCall& call : calls) {
    const std::string part = part_of(call.module);
    const auto [place, fresh] = places.emplace(part, table.size());
    if (fresh)
      table.push_back({{"module", part},
                       {"n", call.n},
                       {"k", call.k},
                       {"count", 0},
                       {"macs", 0},
                       {"cycles", 0},
                       {"compared", 0},
                       {"mismatches", 0}});
    ordered_json& row = table[place->second];
    const auto add = [&](const char* field, int64_t value) {
      row[field] = row[field].get<int64_t>() + value;
    };
    add("count", 1);
    add("macs", call.cost.macs);
    add("cycles", call.cost.cycles);
    add("compared", call.compared);
    add("mismatches", call.mismatches);
  }
  for (ordered_json& row : table)
    row["macs_per_cycle"] = row["macs"].get<double>() / row["cycles"].get<double>();
  return table;
}

// One pass of the whole model on `rtl`, an engine of the array, each product computed by `kernel`
// too and compared in `log`.
LanguageModel::Output forward_by_rtl(const Subject& subject, Recipe recipe, const EngineEntry& rtl,
                                     const at::Tensor& ids, std::shared_ptr<PairedLog> log,
                                     const TaskProgress& progress) {
  recipe.implementation = "rtl";
  const EngineTable paired{{"rtl", [&] {
                              return make_paired_engine(
                                  rtl.make(), make_engine(subject.engines, "kernel"), log);
                            }}};
  const auto model = load_model(subject.checkpoint, recipe, paired);
  model->observe([&](const std::string& module, std::string_view, const at::Tensor&) {
    log->module = module;
    if (progress) progress(int64_t(log->calls.size()), linear_layers_of_block * model->layers());
  });
  return model->forward(ids, /*with_hidden=*/true);
}

// The same pass of the first token on faulty RTL, whose array is small and slow: the comparison of
// its products must see the fault.
ordered_json faulty_rtl_control(const Subject& subject, const Recipe& recipe,
                                const EngineEntry& faulty, const at::Tensor& ids) {
  const auto log = std::make_shared<PairedLog>();
  forward_by_rtl(subject, recipe, faulty, ids.narrow(1, 0, 1).contiguous(), log, {});
  const auto seen = std::count_if(log->calls.begin(), log->calls.end(),
                                  [](const PairedCall& call) { return call.mismatches > 0; });
  return {{"task", "control"},
          {"name", faulty.name},
          {"what", faulty.what},
          {"caught", seen > 0},
          {"layers_that_differ", seen}};
}

const Recipe& last_with_datapath(const std::vector<Recipe>& recipes) {
  // Products of attention, one for each query and head, would be too many for the simulated array.
  const auto found = std::find_if(recipes.rbegin(), recipes.rend(), [](const Recipe& recipe) {
    return has_datapath(recipe) && !recipe.attention;
  });
  if (found == recipes.rend())
    throw UsageError(
        "--recipe: none of them quantizes both sides for a datapath and leaves attention to the "
        "rest");
  return *found;
}

int64_t sum_of(const std::vector<PairedCall>& calls, int64_t (*field)(const PairedCall&)) {
  int64_t sum = 0;
  for (const PairedCall& call : calls) sum += field(call);
  return sum;
}

// Whether the engine computed each of so many layers, and once.
bool is_complete(const std::vector<PairedCall>& calls, int64_t linear_layers) {
  std::set<std::string> modules;
  for (const PairedCall& call : calls)
    if (call.cost.macs > 0) modules.insert(call.module);
  return int64_t(calls.size()) == linear_layers && int64_t(modules.size()) == linear_layers;
}

}  // namespace

void require_rtl_forward(const std::vector<Recipe>& recipes, const EngineTable& engines) {
  last_with_datapath(recipes);
  const bool has_rtl = std::any_of(engines.begin(), engines.end(),
                                   [](const EngineEntry& entry) { return entry.name == "rtl"; });
  if (!has_rtl)
    throw UsageError("this build has no engine 'rtl' (MXREF_RTL=OFF), which validate needs");
}

Results validate_rtl_forward(const Subject& subject, const TaskProgress& progress) {
  const Recipe& recipe = last_with_datapath(subject.recipes);
  const auto start = std::chrono::steady_clock::now();
  const auto log = std::make_shared<PairedLog>();
  const EngineEntry& rtl = find_by_name(subject.engines, "engine", "rtl");
  const auto model = load_model(subject.checkpoint, recipe, subject.engines);
  const at::Tensor ids =
      model_input(subject.calibration,
                  std::min({rtl_tokens, model->window(), int64_t(subject.calibration.size())}));
  const auto by_rtl = forward_by_rtl(subject, recipe, rtl, ids, log, progress);

  const auto by_kernel = model->forward(ids, /*with_hidden=*/true);
  int64_t hidden = 0, hidden_mismatches = 0;
  for (size_t i = 0; i < by_rtl.hidden.size(); ++i) {
    hidden += by_rtl.hidden[i].numel();
    hidden_mismatches +=
        count_differences(values_of(by_rtl.hidden[i]), values_of(by_kernel.hidden[i]));
  }
  const int64_t logits = by_rtl.logits.numel();
  const int64_t logit_mismatches =
      count_differences(values_of(by_rtl.logits), values_of(by_kernel.logits));
  const auto& calls = log->calls;
  const int64_t compared = sum_of(calls, [](const PairedCall& c) { return c.compared; });
  const int64_t mismatches = sum_of(calls, [](const PairedCall& c) { return c.mismatches; });
  const int64_t linear_layers = linear_layers_of_block * model->layers();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  Results results;
  results.push_back({{"task", "rtl_forward"},
                     {"recipe", recipe.name},
                     {"tokens", ids.numel()},
                     {"ids", std::vector<int64_t>(ids.data_ptr<int64_t>(),
                                                  ids.data_ptr<int64_t>() + ids.numel())},
                     {"linear_layers", calls.size()},
                     {"linear_layers_of_model", linear_layers},
                     {"complete", is_complete(calls, linear_layers)},
                     {"macs", sum_of(calls, [](const PairedCall& c) { return c.cost.macs; })},
                     {"cycles", sum_of(calls, [](const PairedCall& c) { return c.cost.cycles; })},
                     {"layer_results", compared},
                     {"layer_mismatches", mismatches},
                     {"hidden_values", hidden},
                     {"hidden_mismatches", hidden_mismatches},
                     {"logits", logits},
                     {"logit_mismatches", logit_mismatches},
                     {"compared", compared + hidden + logits},
                     {"mismatches", mismatches + hidden_mismatches + logit_mismatches},
                     {"layers", sums_by_part(calls)},
                     {"seconds", seconds.count()}});

  for (const EngineEntry& faulty : subject.rtl_controls)
    results.push_back(faulty_rtl_control(subject, recipe, faulty, ids));
  return results;
}

}  // namespace mxref
