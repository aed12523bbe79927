// A model that was written gives the bits of the model in memory.

#include <boost/test/unit_test.hpp>

#include "golden/checkpoint/layouts.h"
#include "golden/checkpoint/memory_checkpoint.h"
#include "golden/models/hadamard.h"
#include "golden/stored_recipe.h"
#include "tests/golden/models_fixture.h"
#include "tests/golden/rounded_model.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::json;

namespace {

at::Tensor logits_of(const Checkpoint& model, const std::filesystem::path& folder) {
  const auto reference = SafetensorsFile::open(folder / "reference.safetensors");
  const auto recipe = stored_recipe(model, {"implementation=ref"});
  BOOST_REQUIRE(recipe.has_value());
  return load_model(model, *recipe, ref_alone())
      ->forward(view_of(reference, "batch.input_ids"))
      .logits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(written_models)

BOOST_AUTO_TEST_CASE(logits_are_those_of_the_model_in_memory_in_every_layout) {
  const auto data = shared_data("models");
  if (!data) return;
  const TemporaryFolder place;
  for (const auto& [family, name] : {std::pair{"llama3", "w4a4"},
                                     {"qwen2", "w8a8"},
                                     {"llama_tied", "w4a8"},
                                     {"openpangu", "w4a16"}}) {
    const auto source = *data / family;
    MemoryCheckpoint model = rounded_model(source, parse_recipe(name));
    const at::Tensor expected = logits_of(model, source);
    for (const LayoutRow& row : layouts) {
      const auto out = place.path() / (std::string(family) + "-" + std::string(row.name));
      write_model(model, row.layout, source, out);
      BOOST_TEST(same_bits(logits_of(*open_checkpoint(out), source), expected),
                 family << " " << name << " in " << row.name);
    }
    // The control: a model of one code more.
    const std::string up = "model.layers.1.mlp.up_proj.weight";
    MxTensor codes = *model.quantized(up);
    codes.codes[7] ^= 1;
    model.set(up, std::move(codes));
    BOOST_TEST(!same_bits(logits_of(model, source), expected));
  }
}

BOOST_AUTO_TEST_CASE(layers_of_several_kinds_and_nvfp4_come_back_as_well) {
  const auto data = shared_data("models");
  if (!data) return;
  const TemporaryFolder place;
  const auto source = *data / "llama3";
  const json nvfp4 = {{"format", "nvfp4"}}, eight = {{"format", "mxfp8_e4m3"}};
  const json rows[] = {
      {{"weights", nvfp4}, {"activations", nvfp4}},
      {{"weights", {{"format", "mxfp4"}, {"prescale", "3/4"}}},
       {"activations", {{"format", "mxfp4"}}},
       {"skip", {"lm_head", "model\\.layers\\.2\\..*"}},
       {"overrides", {{{"match", ".*down_proj"}, {"weights", eight}, {"activations", eight}}}}}};
  int count = 0;
  for (const json& row : rows) {
    const MemoryCheckpoint model = rounded_model(source, recipe_of(row, "here"));
    const at::Tensor expected = logits_of(model, source);
    for (const LayoutRow& layout : layouts) {
      const auto out = place.path() / std::to_string(count++);
      write_model(model, layout.layout, source, out);
      BOOST_TEST(same_bits(logits_of(*open_checkpoint(out), source), expected),
                 row.dump() << " in " << layout.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(rotations_on_line_survive) {
  const auto data = shared_data("models");
  if (!data) return;
  const TemporaryFolder place;
  const auto source = *data / "llama_tied";
  MemoryCheckpoint model = rounded_model(source, parse_recipe("w4a4"));
  const at::Tensor before = logits_of(model, source);
  constexpr int64_t size = 16, heads = 6;
  HostTensor left{{heads, heads}, std::vector<float>(heads * heads)}, right{{size, size}, {}};
  for (int64_t i = 0; i < heads; ++i) left.values[size_t(i * heads + heads - 1 - i)] = 1;
  right.values.resize(size * size);
  for (int64_t i = 0; i < size; ++i) right.values[size_t(i * size + i)] = 1;
  hadamard_transform(right.values.data(), size, size);
  model.set("mxref.left", left);
  model.set("mxref.right", right);
  model.config()["mxref"]["transforms"] = {
      {{"after", "model.layers.0.self_attn.attention"},
       {"kind", "kronecker"},
       {"left", "mxref.left"},
       {"right", "mxref.right"}},
      {{"after", "model.layers.1.self_attn.rotary"}, {"kind", "hadamard"}}};
  const at::Tensor expected = logits_of(model, source);
  BOOST_TEST(!same_bits(expected, before));  // the control: without them
  write_model(model, default_layout(model), source, place / "out");
  BOOST_TEST(same_bits(logits_of(*open_checkpoint(place / "out"), source), expected));
}

BOOST_AUTO_TEST_SUITE_END()
