// A model that a method made gives the bits of the model in memory when it is written and read
// again, with everything that runs on line.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "golden/checkpoint/layouts.h"
#include "golden/models/online_transform.h"
#include "golden/stored_recipe.h"
#include "tests/ptq/methods_fixture.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

at::Tensor logits_of(const Setting& setting, const Checkpoint& model) {
  const auto recipe = stored_recipe(model, {"implementation=ref"});
  BOOST_REQUIRE(recipe.has_value());
  return setting.logits(model, *recipe);
}

// The model without one kind of what runs on line.
MemoryCheckpoint without(const MemoryCheckpoint& model, const std::string& kind) {
  MemoryCheckpoint result = model;
  json& transforms = result.config()["mxref"]["transforms"];
  json kept = json::array();
  for (const json& transform : transforms)
    if (transform["kind"] != kind) kept.push_back(transform);
  const std::vector<std::string> named = OnlineTransforms::tensors(kept);
  for (const std::string& name : OnlineTransforms::tensors(transforms))
    if (std::ranges::find(named, name) == named.end()) result.erase(name);
  transforms = kept;
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(written_methods)

BOOST_AUTO_TEST_CASE(logits_are_those_of_the_model_in_memory) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto folder = *data / "llama_tied";
  const Setting setting(folder);
  const TemporaryFolder place;
  std::set<std::string> kinds;
  for (const Method& method : all_methods()) {
    ordered_json record;
    MethodRequest request = setting.request(method, "w4a4kv4", {"skip=[]"});
    if (method.name == "quarot")
      request.options.insert({{"activation_clip", "0.9"}, {"weight_clip", "true"}});
    const auto model = quantize_model(method, *setting.source, request, record);
    const at::Tensor expected = logits_of(setting, *model);
    const auto out = place.path() / std::string(method.name);
    write_model(*model, default_layout(*model), folder, out);
    BOOST_TEST(same_bits(logits_of(setting, *open_checkpoint(out)), expected), method.name);
    if (!method.change->runs_on_line) continue;
    // Each kind of what runs on line counts: the control.
    std::set<std::string> own;
    for (const json& transform : model->config()["mxref"]["transforms"])
      own.insert(transform["kind"]);
    for (const std::string& kind : own)
      BOOST_TEST(!same_bits(logits_of(setting, without(*model, kind)), expected),
                 method.name << " " << kind);
    kinds.merge(own);
  }
  BOOST_TEST((kinds == std::set<std::string>{"affine", "clip", "hadamard", "kronecker"}));
}

// What a layout cannot hold is known before the work, in the same words.
BOOST_AUTO_TEST_CASE(an_outline_is_objected_to_as_the_model_is) {
  const auto data = shared_data("models");
  if (!data) return;
  const Setting setting(*data / "llama_tied");
  for (const char* name : {"rtn", "quarot", "flatquant"})
    for (const auto& [recipe, settings] : {std::pair{"w4a4", std::vector<std::string>{}},
                                           {"w8a8", {"skip=[]"}},
                                           {"w8a8", {"weights.prescale=1/2"}},
                                           {"nvfp4", {"skip=[]"}}}) {
      MethodRequest request = setting.request(method(name), recipe, settings);
      if (request.options.contains("epochs")) request.options["epochs"] = "0";
      ordered_json record;
      const auto model = quantize_model(method(name), *setting.source, request, record),
                 before = outline(method(name), *setting.source, request.recipe);
      for (const LayoutRow& row : layouts)
        BOOST_TEST(objection_to(*before, row.layout) == objection_to(*model, row.layout));
    }
}

BOOST_AUTO_TEST_SUITE_END()
