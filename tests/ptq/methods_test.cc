// Every row of the table of methods: the change leaves the function, the codes lose no more than
// rounding to nearest, and no bit depends on the number of threads.

#include "ptq/method.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "emu/error.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "ptq/layer_forward.h"
#include "ptq/transforms/fold.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::ordered_json;

namespace {

// Changes are computed in binary64 and rounded to binary32 once each; logits of the fixtures are
// below 10, and binary32 itself moves them by 2e-5.
constexpr float same_function = 5e-4f;

Calibration some_tokens(int64_t vocabulary) {
  Calibration calibration{"here", "", 0, 40, {}};
  for (int64_t s = 0; s < 6; ++s) {
    std::vector<int64_t> ids;
    for (int64_t t = 0; t < calibration.length; ++t)
      ids.push_back((s * 131 + t * t * 7 + t * 29) % vocabulary);
    calibration.samples.push_back(ids);
  }
  return calibration;
}

// Small enough for a test.
std::map<std::string, std::string> quick_options(const Method& method) {
  std::map<std::string, std::string> options;
  for (const MethodOption& row : method.options()) {
    if (row.name == "steps" || row.name == "epochs") options[std::string(row.name)] = "2";
    if (row.name == "hadamard") options["hadamard"] = "32";
  }
  return options;
}

// Bounds of activations are part of their quantizer though they stand among the transforms: they
// change the function, by design. (Bounds of weights, LinearWeights::clip, are part of the choice
// of codes, and this test has no codes.) Everything else must leave it.
void leave_out_clips(PtqModel& model) {
  nlohmann::json kept = nlohmann::json::array();
  for (const nlohmann::json& transform : model.transforms)
    if (transform["kind"] != "clip") kept.push_back(transform);
  model.transforms = kept;
}

struct Setting {
  std::unique_ptr<Checkpoint> source;
  SafetensorsFile reference;
  Calibration calibration;
  explicit Setting(const std::filesystem::path& folder)
      : source(open_checkpoint(folder)),
        reference(SafetensorsFile::open(folder / "reference.safetensors")),
        calibration(some_tokens(source->config()["vocab_size"])) {}
  at::Tensor ids() const { return view_of(reference, "batch.input_ids"); }
  MethodRequest request(const Method& method, const char* recipe) const {
    MethodRequest request{.recipe = parse_recipe(recipe, {"implementation=ref"}),
                          .options = quick_options(method),
                          .calibration = &calibration,
                          .seed = 4};
    return request;
  }
  at::Tensor logits(const Checkpoint& model, const Recipe& recipe) const {
    return load_model(model, recipe, ref_alone())->forward(ids()).logits;
  }
};

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
    BOOST_TEST(
        largest_difference(forward.logits(x), setting.logits(*setting.source, fp32())[0]) < 1e-4,
        family);
  }
}

BOOST_AUTO_TEST_CASE(a_quantized_model_computes_by_its_recipe_and_has_codes_of_its_form) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "qwen2");
  for (const Method& method : all_methods())
    for (const char* name : {"w4a4", "w8a8"}) {
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
      const float difference = largest_difference(setting.logits(*model, request.recipe),
                                                  setting.logits(*setting.source, fp32()));
      BOOST_TEST(difference > 0);
      BOOST_TEST(difference < 8, method.name << " " << name << " " << difference);
    }
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
  const Setting setting(*data / "llama_tied");
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
    // What another run has learned is not taken.
    ++request.seed;
    BOOST_CHECK_THROW(change_model(method(name), *setting.source, request, record), UsageError);
    std::filesystem::remove_all(folder);
  }
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
