// Quantized models on disk compute as they say themselves, unless the command line says otherwise.

#include <nlohmann/json.hpp>

#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "golden/checkpoint/layouts.h"
#include "tests/eval/program/files.h"
#include "tests/golden/rounded_model.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

namespace {

struct Run {
  std::string digest;
  json recipe;
};

// A model of the shared data in each layout.
struct WrittenModels {
  std::filesystem::path source;
  TemporaryFolder folder;

  explicit WrittenModels(const std::filesystem::path& model) : source(model) {
    const MemoryCheckpoint rounded = test::rounded_model(source, parse_recipe("w4a8"));
    for (const LayoutRow& row : layouts)
      write_model(rounded, row.layout, source, folder.path() / row.name);
    const auto reference = SafetensorsFile::open(source / "reference.safetensors");
    const TensorView& ids = reference.at("seq0.input_ids");
    SafetensorsWriter writer;
    writer.add("input_ids", ids.dtype, ids.shape, ids.bytes);
    writer.write(folder / "ids");
  }
  Outcome outcome(const std::string& model, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"forward",      "--model",      model,
                                       "--tokens",     folder / "ids", "--out",
                                       folder / "out", "--json",       folder / "record"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_mxref(arguments);
  }
  Run run(const std::string& model, const std::vector<std::string>& more = {}) const {
    check_good(outcome(model, more));
    const json record = read_json_object(folder / "record");
    return {record["results"][0]["logits_sha256"], record["recipe"]};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(quantized_models)

BOOST_AUTO_TEST_CASE(a_folder_runs_by_its_own_recipe_unless_one_is_given) {
  const auto data = shared_data("models/llama3");
  if (!data) return;
  const WrittenModels models(*data);
  const Run expected = models.run(models.source.string(), {"--recipe", "w4a8"}),
            plain = models.run(models.source.string());
  BOOST_TEST(plain.recipe == to_json(parse_recipe("fp32")));
  BOOST_TEST(plain.digest != expected.digest);  // the control
  for (const LayoutRow& row : layouts) {
    const std::string model = models.folder / std::string(row.name);
    const Run own = models.run(model);
    BOOST_TEST(own.digest == expected.digest, row.name);
    BOOST_TEST(own.recipe == to_json(parse_recipe("w4a8")));
    const Run changed = models.run(model, {"--set", "activations.format=mxfp4"});
    BOOST_TEST(changed.recipe["activations"]["format"] == "mxfp4");
    BOOST_TEST(changed.recipe["weights"]["prescale"] == "3/4");
    BOOST_TEST(changed.digest != own.digest);
    BOOST_TEST(models.run(model, {"--recipe", "fp32"}).recipe == plain.recipe);
  }
}

BOOST_AUTO_TEST_CASE(a_recipe_in_a_folder_that_is_none_is_refused_by_file_and_field) {
  const auto data = shared_data("models/llama3");
  if (!data) return;
  const WrittenModels models(*data);
  const std::string model = models.folder / "compressed-tensors", file = model + "/config.json";
  json config = read_json_object(file);
  config["mxref"]["recipe"]["weights"]["format"] = "mxfp5";
  write_atomically(file, config.dump());
  check_refused(models.outcome(model, {}), 3, {"config.json: mxref.recipe", "mxfp5"});
  check_good(models.outcome(model, {"--recipe", "w4a8"}));
}

BOOST_AUTO_TEST_SUITE_END()
