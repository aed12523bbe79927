#pragma once
// What every command that runs a model takes: --model, --recipe, --set.

#include <filesystem>
#include <string>
#include <vector>

#include "eval/cli/command.h"
#include "eval/report/record.h"
#include "golden/models/language_model.h"

namespace mxref {

struct ModelOptions {
  std::string model;
  std::string recipe;  // "": what the model says of itself, else fp32
  std::vector<std::string> settings;
};

void add_model_options(CLI::App& app, ModelOptions& options);

// A path as it is, else the file of an asset that is a model. Throws UsageError where there is none
// of that name, InputError where its file is missing.
std::filesystem::path model_path(const std::string& model);

// A model as the options say: open_model() reads the recipe and what the files say of themselves,
// load() their weights. Throw UsageError and InputError as parse_recipe, open_checkpoint and
// load_model do.
struct OpenModel {
  std::filesystem::path path;
  Recipe recipe;
  std::unique_ptr<Checkpoint> checkpoint;
  std::unique_ptr<LanguageModel> model;

  void load(const EngineTable& engines);
};
OpenModel open_model(const ModelOptions& options);

// The fields "model" and "recipe" of the record.
void set_model(Record& record, const ModelOptions& options, const OpenModel& opened);

// A digest of logits as a person reads it: with a word where it holds on this machine alone.
std::string told_digest(const std::string& sha256, const Recipe& recipe);

}  // namespace mxref
