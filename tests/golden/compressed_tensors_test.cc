// Folders that compressed-tensors describes: others' checkpoints, and damaged ones.

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "tests/golden/refusal.h"
#include "tests/golden/written_model.h"

using namespace mxref;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

// A folder as others write it: without our own words.
struct OthersFolder {
  SourceFolder source;
  TemporaryFolder place;
  fs::path path = place.path() / "model";

  explicit OthersFolder(const SideConversions& sides, const char* recipe = nullptr) {
    MemoryCheckpoint model = quantized_model(source.path(), sides);
    if (recipe) model.config()["mxref"] = {{"recipe", to_json(parse_recipe(recipe))}};
    write_model(model, Layout::compressed_tensors, source.path(), path);
    change_config([](json& config) { config.erase("mxref"); });
  }
  void change_config(const std::function<void(json&)>& change) const {
    json config = json::parse(read_file(path / "config.json"));
    change(config);
    write_atomically(path / "config.json", config.dump());
  }
  void edit(const std::function<void(std::map<std::string, EditableTensor>&)>& change) const {
    edit_weights(path / "model.safetensors", change);
  }
  std::string read() const {
    return refusal([&] {
      const auto checkpoint = open_checkpoint(path);
      for (const std::string& name : checkpoint->names()) checkpoint->tensor(name);
    });
  }
  Recipe recipe() const {
    return recipe_of(open_checkpoint(path)->config()["mxref"]["recipe"], "config.json");
  }
};

const std::string q = written_layer + "self_attn.q_proj", up = written_layer + "mlp.up_proj",
                  down = written_layer + "mlp.down_proj";
const Conversion four = conversion_to("mxfp4"), scaled = conversion_to("mxfp4", {3, 4}),
                 eight = conversion_to("mxfp8_e4m3"), nv = conversion_to("nvfp4");

SideConversions all(const Conversion& c) { return {c, c, c}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(compressed_tensors)

BOOST_AUTO_TEST_CASE(the_configuration_has_the_words_of_the_library) {
  const OthersFolder folder(all(scaled), "w4a4");
  const json config = json::parse(read_file(folder.path / "config.json"))["quantization_config"];
  const json side = {{"num_bits", 4},
                     {"type", "float"},
                     {"symmetric", true},
                     {"group_size", 32},
                     {"dynamic", false},
                     {"scale_dtype", "torch.uint8"},
                     {"strategy", "tensor_group"}};
  json inputs = side;
  inputs["dynamic"] = true;
  inputs["strategy"] = "group";
  BOOST_TEST(config == json({{"quant_method", "compressed-tensors"},
                             {"format", "mxfp4-pack-quantized"},
                             {"quantization_status", "compressed"},
                             {"ignore", {"lm_head"}},
                             {"kv_cache_scheme", nullptr},
                             {"config_groups",
                              {{"group_0",
                                {{"targets", {"Linear"}},
                                 {"weights", side},
                                 {"input_activations", inputs},
                                 {"output_activations", nullptr}}}}}}));
  const SafetensorsFile file = SafetensorsFile::open(folder.path / "model.safetensors");
  BOOST_TEST((file.metadata() == std::map<std::string, std::string>{{"format", "pt"}}));
  BOOST_TEST(file.at(q + ".weight_packed").shape == (std::vector<int64_t>{8, 32}));
  BOOST_TEST(file.at(q + ".weight_scale").shape == (std::vector<int64_t>{8, 2}));
  BOOST_TEST(to_binary32(file, file.at(q + ".weight_global_scale")).front() == 0.75f);
  BOOST_TEST(!file.find(q + ".weight"));
  // Element 2i in the low nibble.
  const MxTensor codes = *quantized_model(folder.source.path(), all(scaled)).quantized(q_weight);
  const auto packed = file.at(q + ".weight_packed").bytes;
  for (size_t i = 0; i < packed.size(); ++i)
    BOOST_TEST(uint8_t(packed[i]) == (codes.codes[2 * i] | codes.codes[2 * i + 1] << 4));
}

BOOST_AUTO_TEST_CASE(others_checkpoints_say_how_they_compute) {
  const struct {
    SideConversions sides;
    const char* recipe;
    const char* weights;
    const char* activations;
  } rows[] = {
      {all(four), "w4a4", "mxfp4", "mxfp4"}, {all(four), "w4a8", "mxfp4", "mxfp8_e4m3"},
      {all(four), nullptr, "mxfp4", "none"}, {all(eight), "w8a8", "mxfp8_e4m3", "mxfp8_e4m3"},
      {all(nv), nullptr, "nvfp4", "none"},   {all(scaled), "w4a4", "mxfp4", "mxfp4"}};
  for (const auto& row : rows) {
    const OthersFolder folder(row.sides, row.recipe);
    const MemoryCheckpoint model = quantized_model(folder.source.path(), row.sides);
    BOOST_TEST(open_checkpoint(folder.path)->tensor(q_weight).values ==
               model.tensor(q_weight).values);
    const Recipe recipe = folder.recipe();
    BOOST_TEST(recipe.weights.format == row.weights);
    BOOST_TEST(recipe.activations.format == row.activations);
    BOOST_TEST((recipe.weights.conversion->prescale == row.sides.q->prescale));
    BOOST_TEST(recipe.datapath == "fused");
    BOOST_TEST(recipe.skip == std::vector<std::string>{"lm_head"});
    BOOST_TEST(recipe.overrides.empty());
  }
}

BOOST_AUTO_TEST_CASE(layers_of_several_kinds_become_overrides_and_ignored_ones_are_skipped) {
  const OthersFolder folder({four, eight, {}}, "w4a4");
  json groups = json::parse(read_file(folder.path / "config.json"))["quantization_config"];
  BOOST_TEST(groups["format"] == "mixed-precision");
  BOOST_TEST(groups["ignore"] == json({down, "lm_head"}));
  const Recipe recipe = folder.recipe();
  BOOST_TEST(linear_recipe(recipe, q).weights.format == "mxfp4");
  BOOST_TEST(linear_recipe(recipe, up).weights.format == "mxfp8_e4m3");
  BOOST_TEST(linear_recipe(recipe, down).weights.format == "none");
  BOOST_TEST(linear_recipe(recipe, "lm_head").activations.format == "none");
  // The same said by a pattern, which matches the beginning of a name, and by a class.
  folder.change_config([&](json& config) {
    json& described = config["quantization_config"];
    for (auto& [name, group] : described["config_groups"].items())
      group["targets"] =
          group["format"] == "mxfp4-pack-quantized" ? json{"Linear"} : json{"re:.*up_pro"};
    described["ignore"] = {"re:.*down", "lm_head", "visual.proj"};
  });
  BOOST_TEST(folder.read() == "");
  BOOST_TEST(to_json(folder.recipe()) == to_json(recipe));
  // The control: the layer is not ignored.
  folder.change_config([](json& config) { config["quantization_config"]["ignore"] = {"lm_head"}; });
  check_refusal(folder.read(),
                "tensor '" + down_weight + "' is F32 (8, 64); expected the layer in");
}

BOOST_AUTO_TEST_CASE(nvfp4_of_others_has_the_inverse_of_its_global_scale) {
  const OthersFolder folder(all(nv));
  const MemoryCheckpoint model = quantized_model(folder.source.path(), all(nv));
  folder.edit([&](auto& tensors) {
    const float divisor = 4;
    std::memcpy(tensors.at(q + ".weight_global_scale").bytes.data(), &divisor, 4);
    tensors[q + ".input_global_scale"] = tensors.at(q + ".weight_global_scale");
  });
  folder.change_config([](json& config) {
    json& group = config["quantization_config"]["config_groups"]["group_0"];
    json inputs = group["weights"];
    inputs["dynamic"] = "local";
    inputs["observer"] = "static_minmax";
    group["input_activations"] = inputs;
  });
  BOOST_TEST(folder.read() == "");
  const MxTensor read = *open_checkpoint(folder.path)->quantized(q_weight);
  BOOST_TEST(read.tensor_scales == std::vector<float>{0.25f});
  BOOST_TEST(read.codes == model.quantized(q_weight)->codes);
  BOOST_TEST(folder.recipe().activations.format == "nvfp4");
}

BOOST_AUTO_TEST_CASE(a_damaged_or_incomplete_file_is_refused_by_name) {
  using Tensors = std::map<std::string, EditableTensor>;
  const std::string packed = q + ".weight_packed", scale = q + ".weight_scale",
                    global = q + ".weight_global_scale", codes = up + ".weight";
  const struct {
    Conversion conversion;
    std::function<void(Tensors&)> damage;
    std::string expected;
  } rows[] = {
      {four, [&](Tensors& t) { t.erase(scale); }, "'" + packed + "' has no '" + scale + "'"},
      {four, [&](Tensors& t) { t.erase(packed); }, "'" + scale + "' belongs to no quantized layer"},
      {four, [&](Tensors& t) { t[q + ".weight"] = t.at(codes + "_packed"); }, "stands beside"},
      {four, [&](Tensors& t) { t[q + ".weight_zero_point"] = t.at(scale); }, "is not known of"},
      {four, [&](Tensors& t) { t.at(scale).type = DType::I8; }, "is I8 (8, 2); expected U8 (8, 2)"},
      {four,
       [&](Tensors& t) {
         t.at(scale).shape = {2, 8};
       },
       "expected U8 (8, 2)"},
      {four, [&](Tensors& t) { t.at(scale).bytes[3] = 255; }, "holds the code 255 at element 3"},
      {four, [&](Tensors& t) { t.at(packed).shape = {256}; }, "expected two extents"},
      {four,
       [&](Tensors& t) {
         t.at(packed).shape = {32, 8};
       },
       "expected a multiple of 32"},
      {four, [&](Tensors& t) { t.at(packed).type = DType::I8; }, "expected U8 (8, 32)"},
      {four,
       [&](Tensors& t) {
         t[global] = {global, DType::F32, {1}, {0, 0, 64, 63}};
       },
       "means nothing under the strategy 'group'"},
      {scaled, [&](Tensors& t) { t.erase(global); }, "has no '" + global + "'"},
      {scaled,
       [&](Tensors& t) {
         t.at(global).bytes = {0, 0, 0, 0};
       },
       "expected a number above 0"},
      {scaled,
       [&](Tensors& t) {
         t.at(global).bytes = {1, 0, 64, 63};
       },
       "expected a fraction"},
      {scaled,
       [&](Tensors& t) {
         t.at(global).shape = {1, 1};
       },
       ""},  // a number is a number
      {nv, [&](Tensors& t) { t.erase(global); }, "has no '" + global + "'"},
      {nv, [&](Tensors& t) { t.at(scale).type = DType::U8; }, "expected F8_E4M3 (8, 4)"},
      {nv, [&](Tensors& t) { t.at(scale).bytes[0] = 0x81; }, "holds the code 129"},
      {nv, [&](Tensors& t) { t.at(scale).bytes[0] = 0x7F; }, "holds the code 127"},
      {nv, [&](Tensors& t) { t.at(global).bytes[3] = 0xFF; }, "expected a number above 0"},
      {eight, [&](Tensors& t) { t.at(codes).bytes[5] = 0x7F; }, "holds a NaN at element 5"},
      {eight, [&](Tensors& t) { t.erase(codes); }, "belongs to no quantized layer"},
      {eight, [&](Tensors& t) { t.at(codes).type = DType::F8_E5M2; }, "expected the layer in"},
      {eight, [&](Tensors&) {}, ""},
  };
  for (const auto& [conversion, damage, expected] : rows) {
    const OthersFolder folder(all(conversion));
    BOOST_TEST(folder.read() == "");
    folder.edit(damage);
    const std::string message = folder.read();
    if (expected.empty())
      BOOST_TEST(message == "");
    else
      check_refusal(message, expected);
    BOOST_TEST((expected.empty() || message.find("model.safetensors: tensor '") != message.npos));
  }
}

BOOST_AUTO_TEST_CASE(a_configuration_of_another_form_is_refused_by_its_field) {
  const OthersFolder folder(all(four), "w4a4");
  const std::string whole = read_file(folder.path / "config.json");
  const struct {
    const char* patch;  // merged into quantization_config
    const char* expected;
  } rows[] = {
      {R"({"quant_method": "gptq"})", "quant_method \"gptq\" is not supported"},
      {R"({"quantization_status": "frozen"})", "expected 'compressed'"},
      {R"({"format": "pack-quantized"})", "has the format 'pack-quantized'"},
      {R"({"kv_cache_scheme": {"num_bits": 8}})", "kv_cache_scheme"},
      {R"({"transform_config": {"config_groups": {"R1": {}}}})", "transform_config"},
      {R"({"sparsity_config": {"format": "dense"}})", "sparsity_config"},
      {R"({"surprise": 1})", "'surprise'"},
      {R"({"ignore": 3})", "ignore: is 3; expected an array"},
      {R"({"ignore": [3]})", "ignore: holds 3; expected strings"},
      {R"({"ignore": ["re:("]})", "is not a regular expression"},
      {R"({"config_groups": null})", "config_groups"},
      {R"({"config_groups": {"group_0": {"targets": []}}})", "targets: is empty"},
      {R"({"config_groups": {"group_0": {"targets": ["Conv2d"]}}})", "targets no such layer"},
      {R"({"config_groups": {"group_0": {"output_activations": {"num_bits": 8}}}})",
       "output_activations"},
      {R"({"config_groups": {"group_0": {"weights": {"num_bits": 6}}}})", "has num_bits 6"},
      {R"({"config_groups": {"group_0": {"weights": {"group_size": 16}}}})", "group_size 16"},
      {R"({"config_groups": {"group_0": {"weights": {"type": "int"}}}})", "expected 'float'"},
      {R"({"config_groups": {"group_0": {"weights": {"symmetric": false}}}})", "symmetric"},
      {R"({"config_groups": {"group_0": {"weights": {"dynamic": true}}}})", "dynamic"},
      {R"({"config_groups": {"group_0": {"weights": {"strategy": "channel"}}}})", "strategy"},
      {R"({"config_groups": {"group_0": {"weights": {"num_bits": 8}}}})",
       "has the format 'mxfp4-pack-quantized' and weights of 'mxfp8-quantized'"},
      {R"({"config_groups": {"group_0": {"input_activations": {"group_size": 128}}}})",
       "input_activations"},
      // What changes nothing.
      {R"({"version": "0.20.0", "global_compression_ratio": 1.5, "sparsity_config": {}})", ""},
      {R"({"config_groups": {"group_0": {"weights": {"actorder": "static", "zp_dtype": "x"}}}})",
       ""},
      {R"({"config_groups": {"group_0": {"input_activations": null}}})", ""},
  };
  for (const auto& [patch, expected] : rows) {
    write_atomically(folder.path / "config.json", whole);
    folder.change_config([&, patch = patch](json& config) {
      config["quantization_config"].merge_patch(json::parse(patch));
    });
    const std::string message = folder.read();
    if (std::string_view(expected).empty())
      BOOST_TEST(message == "", patch << ": " << message);
    else
      check_refusal(message, expected);
  }
}

BOOST_AUTO_TEST_CASE(files_of_our_own_layout_are_checked_too) {
  const SourceFolder source;
  const TemporaryFolder place;
  const MemoryCheckpoint model = quantized_model(source.path(), all(scaled));
  const auto damaged = [&](const char* name, Layout layout, const char* file, auto damage) {
    const fs::path out = place / name;
    write_model(model, layout, source.path(), out);
    edit_weights(out / file, damage);
    return refusal([&] {
      const auto checkpoint = open_checkpoint(out);
      for (const std::string& tensor : checkpoint->names()) checkpoint->tensor(tensor);
    });
  };
  const char *weights = "model.safetensors", *scales = "mxref_scales.safetensors";
  BOOST_TEST(damaged("good", Layout::mxref, weights, [](auto&) {}) == "");
  check_refusal(damaged("a", Layout::mxref, weights, [](auto& t) { t.erase(q + ".scales"); }),
                "there is no tensor '" + q + ".scales'");
  check_refusal(damaged("b", Layout::mxref, weights, [](auto& t) { t.erase(q + ".packed"); }),
                "there is no tensor '" + q + ".codes'");
  check_refusal(damaged("c", Layout::mxref, weights,
                        [](auto& t) { t[q_weight] = t.at("model.embed_tokens.weight"); }),
                "stands beside another '" + q_weight + "'");
  check_refusal(
      damaged("d", Layout::dequantized, scales, [](auto& t) { t.at(q + ".scales").shape = {16}; }),
      "has shape (16); expected (8, 2)");
  check_refusal(damaged("e", Layout::dequantized, weights, [](auto& t) { t.erase(q_weight); }),
                "the model has no tensor '" + q_weight + "'");
}

BOOST_AUTO_TEST_SUITE_END()
