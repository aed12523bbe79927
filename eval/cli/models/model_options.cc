#include "eval/cli/models/model_options.h"

#include <algorithm>

#include "eval/assets/assets.h"
#include "eval/cli/options.h"
#include "golden/stored_recipe.h"

namespace mxref {
namespace {

std::string recipe_list() {
  std::string list;
  for (const std::string_view name : recipe_names())
    list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

}  // namespace

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("--model", options.model,
                 "a Hugging Face folder (config.json, safetensors), a GGUF file, or the name of an "
                 "asset")
      ->required()
      ->type_name("MODEL");
  app.add_option("--recipe", options.recipe,
                 "how the model computes (default: as a quantized model says itself, else fp32): "
                 "FILE.json, or " +
                     recipe_list())
      ->type_name("RECIPE");
  app.add_option(
         "--set", options.settings,
         "change a field of the recipe, such as weights.prescale=1, kv.format=mxfp8_e4m3 or "
         "attention.queries.format=mxfp8_e4m3; repeatable")
      ->type_name("PATH=VALUE")
      ->expected(1)
      ->take_all();
}

std::filesystem::path model_path(const std::string& model) {
  if (std::filesystem::exists(model)) return model;
  if (model.find('/') != model.npos || model.ends_with(".gguf"))
    throw InputError(model + ": no such folder or file");
  std::vector<Asset> models;
  std::ranges::copy_if(assets, std::back_inserter(models), &Asset::is_model);
  return asset_path(find_by_name(models, "model", model).name);
}

OpenModel open_model(const ModelOptions& options) {
  OpenModel opened;
  if (!options.recipe.empty()) opened.recipe = parse_recipe(options.recipe, options.settings);
  opened.path = model_path(options.model);
  opened.checkpoint = open_checkpoint(opened.path);
  if (options.recipe.empty()) {
    const auto stored = stored_recipe(*opened.checkpoint, options.settings);
    opened.recipe = stored ? *stored : parse_recipe("fp32", options.settings);
  }
  return opened;
}

void OpenModel::load(const EngineTable& engines) {
  model = load_model(*checkpoint, recipe, engines);
}

void set_model(Record& record, const ModelOptions& options, const OpenModel& opened) {
  record.set("model", {{"name", options.model},
                       {"sha256", opened.checkpoint->sha256()},
                       {"parameters", opened.model->parameters()}});
  record.set("recipe", to_json(opened.recipe));
}

std::string told_digest(const std::string& sha256, const Recipe& recipe) {
  return "SHA-256 of the logits " + sha256 +
         (recipe.rest == "strict" ? "" : " (of this machine: rest library)");
}

}  // namespace mxref
