// The codes that methods choose lose no more than rounding to nearest, by the measure of their
// choice; learning goes down; lm_head has codes where the recipe wants them.

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "emu/error.h"
#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/calibration_stream.h"
#include "ptq/gptq.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"
#include "tests/ptq/methods_fixture.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::ordered_json;

namespace {

// Sums of binary32 in another order than the method's own.
constexpr double same_loss = 1e-4;

// The measure of a choice: Σ over rows of d·H·dᵀ, H of the inputs.
enum class Measure { whole, damped, blocks };
Measure measure_of(const CodeChoice* choice) {
  if (choice == &methods::clipped) return Measure::blocks;
  return choice == &methods::nearest ? Measure::whole : Measure::damped;
}

std::vector<double> measured(const Hessian& inputs, Measure measure, int64_t block,
                             double damping) {
  std::vector<double> h = inputs.mean();
  const int64_t K = inputs.width();
  double trace = 0;
  for (int64_t k = 0; k < K; ++k) trace += h[size_t(k * K + k)];
  for (int64_t i = 0; i < K; ++i) {
    if (measure == Measure::damped) h[size_t(i * K + i)] += damping * trace / double(K);
    for (int64_t j = i; j < K; ++j)
      if (measure == Measure::blocks && i / block != j / block) h[size_t(i * K + j)] = 0;
  }
  return h;
}

struct Losses {
  double chosen = 0, nearest = 0;
};

// Layer by layer as the method goes: the inputs of each place behind what came before it.
Losses check_losses(const Method& method, const PtqModel& changed, const ModelCodes& codes,
                    const MethodRequest& request, const ordered_json& options) {
  const Measure measure = measure_of(method.choice);
  PtqModel model = changed;
  CalibrationStream stream(model, *request.calibration);
  Losses sum;
  for (LayerWeights& layer : model.layers) {
    const LayerWeights before = layer;
    for (const Place place : all_places) {
      Hessian inputs(model.width(place));
      for (const at::Tensor& sample : stream.samples()) {
        at::Tensor x = sample.clone();
        stream.forward().run(options.value("sequential", false) ? layer : before, x,
                             [&](Place at, const at::Tensor& input) {
                               if (at == place) inputs.add(values_of(input));
                             });
      }
      for (const Linear linear : linears_at(place)) {
        const MxTensor& chosen = codes.at(layer.module(linear) + ".weight");
        const at::Tensor w = bounded_weight(layer[linear], chosen.block());
        const std::vector<double> h =
            measured(inputs, measure, chosen.block(), options.value("damping", 0.0));
        const auto loss = [&](const std::vector<float>& values) {
          return quadratic_error(values_of(w), values, w.size(0), h);
        };
        const Losses own{loss(dequantize(chosen)),
                         loss(dequantize(quantize(values_of(w), chosen.shape, chosen.conversion)))};
        BOOST_TEST(
            own.chosen <= own.nearest * (1 + same_loss),
            method.name << " " << layer.module(linear) << " " << own.chosen << " " << own.nearest);
        // The control: zeros lose more than either.
        BOOST_TEST(own.nearest < loss(std::vector<float>(size_t(w.numel()))));
        sum.chosen += own.chosen;
        sum.nearest += own.nearest;
        if (measure == Measure::damped)
          layer[linear].weight = tensor_of(dequantize(chosen), w.sizes());
      }
    }
    stream.run(layer);
  }
  return sum;
}

Losses losses_of(const Method& method, const Setting& setting, const char* recipe) {
  const MethodRequest request = setting.request(method, recipe);
  ordered_json record;
  const PtqModel changed = change_model(method, *setting.source, request, record);
  const auto model = choose_codes(method, changed, request, record);
  ModelCodes codes;
  for (const std::string& name : model->names())
    if (auto own = model->quantized(name)) codes[name] = *std::move(own);
  return check_losses(method, changed, codes, request, record["codes"]["options"]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ptq_codes)

BOOST_AUTO_TEST_CASE(the_loss_of_the_codes_is_not_above_that_of_rounding_to_nearest) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  for (const Method& method : all_methods()) {
    const Losses losses = losses_of(method, setting, "w4a4");
    const double share = losses.chosen / losses.nearest;
    switch (measure_of(method.choice)) {
      case Measure::whole:
        BOOST_TEST(share == 1, method.name);
        break;
      case Measure::damped:
        BOOST_TEST(share < 0.9, method.name << " " << share);
        break;
      case Measure::blocks:
        BOOST_TEST(share < 0.99, method.name << " " << share);
        break;
    }
  }
}

BOOST_AUTO_TEST_CASE(awq_scales_values_where_each_query_head_has_its_own) {
  const auto data = shared_data("models");
  if (!data) return;
  Setting setting(*data / "qwen2");
  const at::Tensor expected = setting.logits(*setting.source, fp32());
  setting.source = with_all_heads(*setting.source);
  BOOST_TEST(largest_difference(setting.logits(*setting.source, fp32()), expected) < 1e-4);
  const Method& awq = method("awq");
  ordered_json record;
  const PtqModel changed = change_model(awq, *setting.source, setting.request(awq, "w4a4"), record);
  const auto powers = record["change"]["powers"].get<std::vector<double>>();
  BOOST_REQUIRE(powers.size() == 4 * changed.layers.size());  // qkv, o, gate and up, down
  double of_o = 0;
  for (size_t i = 1; i < powers.size(); i += 4) of_o += powers[i];
  BOOST_TEST(of_o > 0);  // else nothing was scaled
  const auto model = to_checkpoint(changed, {}, nlohmann::json::object());
  BOOST_TEST(largest_difference(setting.logits(*model, fp32()), expected) < 5e-4);
  losses_of(awq, setting, "w4a4");
}

// Under a tensor scale blocks cannot be bounded one by one: the record says that none was.
BOOST_AUTO_TEST_CASE(awq_says_what_it_does_not_clip) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  const auto counts = [&](const char* recipe, std::map<std::string, std::string> options) {
    MethodRequest request = setting.request(method("awq"), recipe);
    request.options = std::move(options);
    ordered_json record;
    quantize_model(method("awq"), *setting.source, request, record);
    BOOST_TEST(record["codes"]["searched_tokens"] == 100);
    return std::pair{record["codes"]["matrices_clipped"].get<int>(),
                     record["codes"]["matrices_not_clipped"].get<int>()};
  };
  const std::map<std::string, std::string> options{{"grid", "2"}, {"clip_tokens", "100"}};
  BOOST_TEST((counts("w4a4", options) == std::pair{5 * 3, 2 * 3}));
  BOOST_TEST((counts("nvfp4", options) == std::pair{0, 7 * 3}));
  BOOST_CHECK_THROW(counts("w4a4", {{"clip_steps", "11"}, {"clip_grid", "10"}}), UsageError);
}

BOOST_AUTO_TEST_CASE(learning_goes_down) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  {
    MethodRequest request = setting.request(method("spinquant"), "w4a4");
    request.options["steps"] = "8";  // all samples in each
    ordered_json record;
    change_model(method("spinquant"), *setting.source, request, record);
    const auto losses = record["change"]["losses"].get<std::vector<double>>();
    BOOST_REQUIRE(losses.size() == 8u);
    BOOST_TEST(losses.back() < losses.front());
    BOOST_TEST(record["change"]["samples_of_a_step"] == 6);
  }
  MethodRequest request = setting.request(method("flatquant"), "w4a4");
  request.options["epochs"] = "12";
  std::map<int, std::vector<double>> losses;  // by layer
  request.progress = [&](std::string_view, int64_t, int64_t, const std::string& note) {
    int layer = 0;
    double loss = 0;
    if (std::sscanf(note.c_str(), "layer %d loss %lf", &layer, &loss) == 2)
      losses[layer].push_back(loss);
  };
  ordered_json record;
  change_model(method("flatquant"), *setting.source, request, record);
  BOOST_TEST(losses.size() == 3u);
  for (const auto& [layer, own] : losses) {
    BOOST_TEST(own.size() == 12u);
    BOOST_TEST(own.back() < own.front(),
               "layer " << layer << ": " << own.back() << " behind " << own.front());
  }
}

// QuaRot's bounds of weights, by their own measure.
BOOST_AUTO_TEST_CASE(bounds_of_weights_lose_less_than_none) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  MethodRequest request = setting.request(method("quarot"), "w4a4");
  request.options["weight_clip"] = "true";
  ordered_json record;
  const PtqModel changed = change_model(method("quarot"), *setting.source, request, record);
  const LinearWeights& up = changed.layers[1][Linear::up];
  const Conversion conversion = *request.recipe.weights.conversion;
  const auto loss = [&](const at::Tensor& w) {  // by row
    const std::vector<float> rounded =
        dequantize(quantize(values_of(w), w.sizes().vec(), conversion));
    const at::Tensor error = tensor_of(rounded, w.sizes()) - up.weight;
    return error.abs().to(at::kDouble).pow(2.4).sum(1);
  };
  const at::Tensor bounded = loss(bounded_weight(up, conversion.block)), plain = loss(up.weight);
  BOOST_TEST((bounded <= plain * (1 + same_loss)).all().item<bool>());
  BOOST_TEST(bounded.sum().item<double>() < 0.99 * plain.sum().item<double>());
}

// What overflows in layer 1 ends learning there; nothing of it is kept.
BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_ends_learning_with_its_place) {
  const auto data = shared_data("models");
  if (!data) return;
  Setting setting(*data / "llama_tied");
  setting.source = edited(*setting.source, setting.source->config(),
                          [](const std::string& name, HostTensor& tensor) {
                            if (name == "model.layers.1.post_attention_layernorm.weight")
                              for (float& value : tensor.values) value *= 1e30f;
                          });
  for (const auto& [name, place] :
       {std::pair{"spinquant", "spinquant, step 1 at a rate of 1.5"},
        {"flatquant", "flatquant, layer 1, step 1 at a rate of 0.005"}}) {
    const TemporaryFolder folder;
    std::vector<std::filesystem::path> learned;
    MethodRequest request = setting.request(method(name), "w4a4");
    request.state = folder / "state";
    request.learned = &learned;
    ordered_json record;
    BOOST_CHECK_EXCEPTION(
        change_model(method(name), *setting.source, request, record), InputError,
        [place = place](const InputError& e) { return std::string(e.what()).starts_with(place); });
    // The folder, and what flatquant has kept of layer 0.
    BOOST_TEST(learned.size() == (std::string(name) == "flatquant" ? 2u : 1u));
    for (const auto& path : learned) BOOST_TEST(std::filesystem::exists(path));
  }
}

BOOST_AUTO_TEST_CASE(lm_head_has_codes_where_the_recipe_wants_them) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  const auto quantized = [&](const char* name, ordered_json& record) {
    return quantize_model(method(name), *setting.source,
                          setting.request(method(name), "w4a4", {"skip=[]"}), record);
  };
  const Recipe recipe = parse_recipe("w4a4", {"skip=[]", "implementation=ref"});
  ordered_json record;
  const auto rtn = quantized("rtn", record), awq = quantized("awq", record),
             gptq = quantized("gptq", record);
  const auto codes = [](const Checkpoint& model) { return *model.quantized("lm_head.weight"); };
  BOOST_TEST(same_bits(setting.logits(*rtn, recipe), setting.logits(*setting.source, recipe)));
  BOOST_TEST((codes(*awq) == codes(*rtn)));  // whose scales leave the stream as it is
  BOOST_TEST((codes(*gptq) != codes(*rtn)));
  BOOST_TEST(record["codes"]["matrices"] == 7 * 3 + 1);
  BOOST_TEST(!gptq->quantized("model.embed_tokens.weight"));
  BOOST_TEST(gptq->config()["tie_word_embeddings"] == false);
}

BOOST_AUTO_TEST_CASE(gptq_says_which_matrices_it_damped_more_and_refuses_other_roundings) {
  const auto data = shared_data("models");
  if (!data) return;
  Setting setting(*data / "llama_tied");
  setting.calibration.samples.resize(1);  // 40 tokens: no Hessian has full rank
  MethodRequest request = setting.request(method("gptq"), "w4a4");
  request.options["damping"] = "0";
  ordered_json record;
  quantize_model(method("gptq"), *setting.source, request, record);
  const ordered_json& rows = record["codes"]["irregular"];
  BOOST_REQUIRE(!rows.empty());
  BOOST_TEST(rows[0]["module"] == "model.layers.0.self_attn.q_proj");
  int64_t retries = 0;
  for (const ordered_json& row : rows) retries += row["retries"].get<int64_t>();
  BOOST_TEST(retries > 0);
  BOOST_TEST(record["codes"]["retries"] == retries);
  request.recipe = parse_recipe("w4a4", {"weights.rounding=rna"});
  BOOST_CHECK_EXCEPTION(
      quantize_model(method("gptq"), *setting.source, request, record), UsageError,
      [](const UsageError& e) {
        return std::string(e.what()).find("'rna' for model.layers.0.self_attn.q_proj") !=
               std::string::npos;
      });
}

BOOST_AUTO_TEST_SUITE_END()
