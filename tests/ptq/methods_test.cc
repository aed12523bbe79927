// Every row of the table of methods: the change leaves the function, the codes lose no more than
// rounding to nearest, and no bit depends on the number of threads.

#include "ptq/method.h"

#include <ATen/ops/matmul.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "emu/error.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "golden/models/hadamard.h"
#include "ptq/layer_forward.h"
#include "ptq/transforms/fold.h"
#include "tests/ptq/methods_fixture.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::ordered_json;

namespace {

// Changes are computed in binary64 and rounded to binary32 once each; logits of the fixtures are
// below 10, and binary32 itself moves them by 2e-5.
constexpr float same_function = 5e-4f;

// Of logits on qwen2, whose weights are random: from 0.56 to 0.64 and from 0.17 to 0.21 were
// measured, 1.42 of a model of zeros.
constexpr double error_of_w4a4 = 0.75, error_of_w8a8 = 0.3;

// Bounds of activations are part of their quantizer though they stand among the transforms: they
// change the function, by design. (Bounds of weights, LinearWeights::clip, are part of the choice
// of codes, and this test has no codes.) Everything else must leave it.
void leave_out_clips(PtqModel& model) {
  nlohmann::json kept = nlohmann::json::array();
  for (const nlohmann::json& transform : model.transforms)
    if (transform["kind"] != "clip") kept.push_back(transform);
  model.transforms = kept;
}

// The size of a difference, of what it is a difference to.
double relative(const at::Tensor& x, const at::Tensor& expected) {
  return ((x - expected).norm() / expected.norm()).item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ptq_methods)

BOOST_AUTO_TEST_CASE(a_change_leaves_the_function_in_binary32) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const Setting setting(*data / family);
    const at::Tensor expected = setting.logits(*setting.source, fp32());
    for (const Method& method : all_methods())
      for (const char* recipe :
           {"w4a4", "w4a4kv4"}) {  // with a quantized cache heads may be turned
        ordered_json record;
        PtqModel changed =
            change_model(method, *setting.source, setting.request(method, recipe), record);
        leave_out_clips(changed);
        const auto model = to_checkpoint(changed, {}, nlohmann::json::object());
        const float difference = largest_difference(setting.logits(*model, fp32()), expected);
        BOOST_TEST(difference <= same_function,
                   family << " " << method.name << " " << recipe << " " << difference);
        BOOST_TEST(changed.transforms.empty() == !method.change->runs_on_line, method.name);
      }
  }
}

// The control of the above: a layer that is turned without its neighbours.
BOOST_AUTO_TEST_CASE(a_change_of_one_side_alone_is_seen) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama3");
  PtqModel model = read_model(*setting.source);
  map_inputs(model.layers[1][Linear::down].weight, random_hadamard(model.width(Place::down), 1));
  const auto changed = to_checkpoint(model, {}, nlohmann::json::object());
  BOOST_TEST(largest_difference(setting.logits(*changed, fp32()),
                                setting.logits(*setting.source, fp32())) > 10 * same_function);
}

// Values are turned head by head, whatever Hadamard matrix the number of heads has: what the cache
// holds. With what runs on line o sees the Hadamard matrix of its whole width.
BOOST_AUTO_TEST_CASE(quarot_turns_values_by_head_and_the_input_of_o_as_a_whole) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : {"llama3", "llama_tied"}) {  // 4 heads; 6, of which there is none
    const Setting setting(*data / family);
    const Method& quarot = method("quarot");
    const MethodRequest request = setting.request(quarot, "w4a4kv4");
    ordered_json record;
    const PtqModel changed = change_model(quarot, *setting.source, request, record);
    PtqModel expected = read_model(*setting.source);
    fold_norms(expected);
    rotate_residual(expected, random_hadamard(expected.description.width, request.seed));
    const int64_t d = expected.description.head_dim, kv = expected.description.kv_heads,
                  n = expected.width(Place::o);
    for (size_t i = 0; i < expected.layers.size(); ++i) {
      LinearWeights &v = expected.layers[i][Linear::v], &o = expected.layers[i][Linear::o];
      const LinearWeights& turned = changed.layers[i][Linear::v];
      BOOST_TEST(relative(turned.weight, v.weight) > 0.5);  // the control
      map_outputs(v, [&](double* x, int64_t count) { hadamard_transform(x, count * kv, d); });
      BOOST_TEST(largest_difference(turned.weight, v.weight) < 1e-6, family);
      map_inputs(o.weight, [&](double* x, int64_t count) { hadamard_transform(x, count, n); });
      BOOST_TEST(largest_difference(changed.layers[i][Linear::o].weight, o.weight) < 1e-6, family);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_calibration_forward_is_the_model_in_binary32) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const Setting setting(*data / family);
    const PtqModel model = read_model(*setting.source);
    LayerForward forward(model);
    const at::Tensor ids = setting.ids()[0].contiguous();
    at::Tensor x = forward.embed({ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + ids.numel()});
    for (const LayerWeights& layer : model.layers) forward.run(layer, x);
    const at::Tensor& head = model.lm_head.defined() ? model.lm_head : model.embedding;
    BOOST_TEST(largest_difference(at::matmul(forward.head_input(x), head.t()),
                                  setting.logits(*setting.source, fp32())[0]) < 1e-4,
               family);
  }
}

BOOST_AUTO_TEST_CASE(a_quantized_model_computes_by_its_recipe_and_has_codes_of_its_form) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "qwen2");
  const at::Tensor expected = setting.logits(*setting.source, fp32());
  for (const Method& method : all_methods())
    for (const auto& [name, bound] : {std::pair{"w4a4", error_of_w4a4}, {"w8a8", error_of_w8a8}}) {
      const MethodRequest request = setting.request(method, name);
      ordered_json record;
      const auto model = quantize_model(method, *setting.source, request, record);
      for (const std::string& tensor : model->names()) {
        const bool is_linear = tensor.ends_with("_proj.weight");
        BOOST_TEST(model->quantized(tensor).has_value() == is_linear, tensor);
        if (is_linear)
          BOOST_TEST(model->quantized(tensor)->format().name ==
                     request.recipe.weights.conversion->format->name);
      }
      BOOST_TEST(model->config()["mxref"]["method"]["name"] == method.name);
      const double error = relative(setting.logits(*model, request.recipe), expected);
      BOOST_TEST(error > 0);
      BOOST_TEST(error < bound, method.name << " " << name << " " << error);
    }
}

// The control of the above: a model whose layers are zeros.
BOOST_AUTO_TEST_CASE(a_model_of_zeros_is_seen) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "qwen2");
  const auto zeros = edited(*setting.source, setting.source->config(),
                            [](const std::string& name, HostTensor& tensor) {
                              if (name.ends_with("_proj.weight"))
                                std::ranges::fill(tensor.values, 0.0f);
                            });
  const double error =
      relative(setting.logits(*zeros, fp32()), setting.logits(*setting.source, fp32()));
  BOOST_TEST(error > error_of_w4a4);
}

BOOST_AUTO_TEST_CASE(what_the_recipe_leaves_is_left) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama3");
  for (const Method& method : all_methods()) {
    MethodRequest request = setting.request(method, "w4a16");
    request.recipe =
        parse_recipe("w4a16", {"implementation=ref", R"(skip=["lm_head", ".*\\.down_proj"])"});
    ordered_json record;
    const auto model = quantize_model(method, *setting.source, request, record);
    BOOST_TEST(!model->quantized("model.layers.0.mlp.down_proj.weight"));
    BOOST_TEST(model->quantized("model.layers.0.mlp.up_proj.weight").has_value());
  }
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_number_of_threads) {
  const auto data = shared_data("models");
  if (!data) return;
  const int before = threads();
  Setting setting(*data / "llama_tied");
  setting.source = with_wide_mlp(*setting.source, 320);
  for (const Method& method : all_methods()) {
    std::vector<std::unique_ptr<MemoryCheckpoint>> models;
    for (const int count : {1, 3}) {
      set_threads(count);
      ordered_json record;
      models.push_back(
          quantize_model(method, *setting.source, setting.request(method, "w4a4"), record));
    }
    for (const std::string& name : models[0]->names()) {
      BOOST_TEST((models[0]->quantized(name) == models[1]->quantized(name)),
                 method.name << " " << name);
      BOOST_TEST((models[0]->tensor(name).values == models[1]->tensor(name).values),
                 method.name << " " << name);
    }
  }
  set_threads(before);
}

// A learner that is ended by its own progress, as a kill would, and started again.
BOOST_AUTO_TEST_CASE(a_learner_goes_on_after_a_kill_with_the_same_bits) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  struct Killed {};
  for (const char* name : {"spinquant", "flatquant"}) {
    const auto folder = std::filesystem::temp_directory_path() /
                        ("mxref_learned_" + std::to_string(getpid()) + name);
    MethodRequest request = setting.request(method(name), "w4a4kv4");
    if (request.options.contains("steps")) request.options["steps"] = "12";
    request.options["batch"] = "3";
    ordered_json record;
    const PtqModel expected = change_model(method(name), *setting.source, request, record);
    int64_t reports = 0, total = 0;
    request.state = folder;
    const int64_t end = request.options.contains("steps") ? 11 : 5;
    request.progress = [&](std::string_view, int64_t done, int64_t, const std::string& note) {
      BOOST_TEST(note.find("loss ") != note.npos);
      ++reports;
      if (done == end) throw Killed();
    };
    BOOST_CHECK_THROW(change_model(method(name), *setting.source, request, record), Killed);
    request.progress = [&](std::string_view, int64_t, int64_t, const std::string&) { ++total; };
    const PtqModel resumed = change_model(method(name), *setting.source, request, record);
    BOOST_TEST(total == 2);  // steps 11 and 12; the epochs of the last layer
    BOOST_TEST(reports == end);
    for (size_t i = 0; i < expected.layers.size(); ++i)
      for (const Linear linear : all_linears)
        BOOST_TEST(same_bits(expected.layers[i][linear].weight, resumed.layers[i][linear].weight),
                   name << " " << expected.layers[i].module(linear));
    BOOST_TEST((expected.transforms == resumed.transforms));
    for (const auto& [key, value] : expected.transform_tensors)
      BOOST_TEST(same_bits(value, resumed.transform_tensors.at(key)), key);
    // How products are summed is nothing that learning looks at.
    request.recipe = parse_recipe("w4a4kv4", {"implementation=kernel", "datapath=exact"});
    const PtqModel other = change_model(method(name), *setting.source, request, record);
    BOOST_TEST(total == 2);
    BOOST_TEST(same_bits(expected.layers[0][Linear::q].weight, other.layers[0][Linear::q].weight));
    // What another run has learned is not taken.
    ++request.seed;
    BOOST_CHECK_THROW(change_model(method(name), *setting.source, request, record), UsageError);
    std::filesystem::remove_all(folder);
  }
}

// An override without the side that is asked for still hides those before it.
BOOST_AUTO_TEST_CASE(a_part_is_given_the_sides_that_it_declares) {
  const Recipe recipe = parse_recipe(
      "w4a4kv4", {R"(overrides=[{"match":".*q_proj","weights":{"format":"mxfp8_e4m3"}},)"
                  R"({"match":".*layers.0.*","activations":{"format":"none"}}])"});
  const Recipe weights = with_sides(recipe, {.weights = true});
  for (const char* module : {"layers.0.q_proj", "layers.1.q_proj", "layers.1.o_proj", "lm_head"}) {
    BOOST_TEST((linear_recipe(weights, module).weights == linear_recipe(recipe, module).weights),
               module);
    BOOST_TEST(!linear_recipe(weights, module).activations.conversion, module);
  }
  BOOST_TEST(!weights.kv.conversion);
  BOOST_TEST((with_sides(recipe, {.kv = true}).kv == recipe.kv));
  const auto inputs = [&](const char* name, const Recipe& recipe, uint64_t seed) {
    const std::map<std::string, std::string> options;
    const CalibrationDraw draw{"f00d", 4, 32, 0};
    return inputs_of_change(method(name), {"m", "c", recipe, options, draw, seed}).dump();
  };
  const Recipe other = parse_recipe("w8a8", {"datapath=exact"});
  BOOST_TEST(inputs("smoothquant", recipe, 1) == inputs("smoothquant", other, 2));
  BOOST_TEST(inputs("quarot", recipe, 1) != inputs("quarot", other, 1));
  BOOST_TEST(inputs("quarot", recipe, 1) != inputs("quarot", recipe, 2));
  BOOST_TEST(inputs("quarot", recipe, 1) == inputs("quarot+gptq", recipe, 1));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_is_refused_in_one_line) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama3");
  const auto refusal = [&](const char* name, auto edit) -> std::string {
    MethodRequest request = setting.request(method(name), "w4a4");
    edit(request);
    ordered_json record;
    try {
      quantize_model(method(name), *setting.source, request, record);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  };
  const auto has = [](const std::string& text, const char* part) {
    BOOST_TEST((text.find(part) != text.npos), part << " not in: " << text);
  };
  has(refusal("gptq", [](auto& r) { r.calibration = nullptr; }), "needs --calibration");
  has(refusal("rtn", [](auto& r) { r.recipe = parse_recipe("fp32"); }), "quantizes no weights");
  has(refusal("rtn", [](auto& r) { r.options["damping"] = "1"; }), "has no options");
  has(refusal("gptq", [](auto& r) { r.options["dampin"] = "1"; }), "did you mean 'damping'");
  has(refusal("mr-gptq", [](auto& r) { r.options["hadamard"] = "36"; }), "does not divide");
  has(refusal("mr-gptq", [](auto& r) { r.options["hadamard"] = "7"; }), "order 7");
  has(refusal("rtn", [](auto& r) { r.recipe = parse_recipe("w4a4", {R"(skip=["nothing"])"}); }),
      "matches no linear layer");
  BOOST_CHECK_THROW(method("gptk"), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
