#pragma once
// A method of post-training quantization is two things: a change of the model that leaves its
// function in binary32 the same (scales, rotations, affine maps, folded into weights or done on
// line), and a choice of codes for the weights. The table pairs them; each change and each choice
// has a file in ptq/methods.
//
// To add one: its file, its declaration in ptq/methods/methods.h, its row in method.cc.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "golden/recipe.h"
#include "ptq/calibration.h"
#include "ptq/model.h"
#include "ptq/options.h"

namespace mxref {

// Sides of a recipe, with what skip and overrides say of them. (Of attention's own products
// learners only tell that they leave them out.)
struct RecipeSides {
  bool weights = false, activations = false, kv = false, attention = false;
};
// The recipe with these sides alone; what is not asked for is as in Recipe{}.
Recipe with_sides(const Recipe& recipe, RecipeSides sides);
// For a part that looks at the same sides whatever its options.
template <RecipeSides sides>
RecipeSides always(const OptionValues&) {
  return sides;
}

// What is the same of a change and of a choice of codes. A part is given what it declares here and
// nothing else, so what it gives is the same wherever that is the same: of a study's cells, one
// computes it for all (inputs_of_change, inputs_of_codes).
struct MethodPart {
  std::string_view name;  // "" : none
  struct Needs {
    bool calibration = false, seed = false;
  } needs;
  RecipeSides (*sides)(const OptionValues&);
  std::vector<MethodOption> (*options)();
};

// What a part works with.
struct MethodContext {
  const Recipe& recipe;  // the declared sides of it; the others are none
  const OptionValues& options;
  const Calibration* calibration;        // null where it is not declared
  uint64_t seed;                         // 0 where it is not declared
  const nlohmann::ordered_json& inputs;  // all that decides the result
  // Where learning keeps what it has so far, to go on after a kill; empty: nowhere.
  std::filesystem::path state;
  // Gets the folder and the files there that are this run's, in that order; may be null.
  std::vector<std::filesystem::path>* learned;
  // stage, done of total units, and what a learner wants to be seen ("loss 0.0123"); may be empty.
  std::function<void(std::string_view stage, int64_t done, int64_t total, const std::string& note)>
      progress;
  // What the record keeps: seconds of stages, losses, retries.
  nlohmann::ordered_json& record;

  void report(std::string_view stage, int64_t done, int64_t total,
              const std::string& note = "") const {
    if (progress) progress(stage, done, total, note);
  }
};

struct ModelChange : MethodPart {
  bool runs_on_line;  // whether it leaves transforms that run on line
  void (*apply)(PtqModel& model, const MethodContext& context);
};
struct CodeChoice : MethodPart {
  // Codes for every linear layer whose weights the recipe quantizes; where lm_head is left out,
  // nearest codes are taken for it. The model's weights may be used up (a layer behind sees what
  // the layers before have become).
  ModelCodes (*choose)(PtqModel& model, const MethodContext& context);
};

struct Method {
  std::string_view name;
  const ModelChange* change;
  const CodeChoice* choice;
  std::string_view what;
  bool needs_calibration() const { return change->needs.calibration || choice->needs.calibration; }
  bool draws() const { return change->needs.seed || choice->needs.seed; }  // at random, by the seed
  // Of both parts; no name stands in both.
  std::vector<MethodOption> options() const;
};

const std::vector<Method>& all_methods();
// Throws UsageError with the valid names.
const Method& method(std::string_view name);

// What a method is given, in short: what a study knows before it reads a model or a text.
struct MethodInputs {
  std::string model_sha256, config_sha256;
  const Recipe& recipe;
  const std::map<std::string, std::string>& options;
  std::optional<CalibrationDraw> calibration;
  uint64_t seed;
};
// What decides the changed model, and the codes that are then chosen: all of it and no more. Throw
// UsageError where an option is wrong.
nlohmann::ordered_json inputs_of_change(const Method& method, const MethodInputs& inputs);
nlohmann::ordered_json inputs_of_codes(const Method& method, const MethodInputs& inputs);

struct MethodRequest {
  Recipe recipe;
  std::map<std::string, std::string> options;
  const Calibration* calibration = nullptr;
  uint64_t seed = 0;
  std::filesystem::path state = {};
  std::vector<std::filesystem::path>* learned = nullptr;
  decltype(MethodContext::progress) progress = {};
};

// The result of quantize_model but for its values: names, shapes, the conversion of what will be
// quantized, whether transforms run on line. Enough for objection_to (golden/checkpoint/layouts.h),
// before the work. Throws as check_patterns and read_model do.
std::unique_ptr<MemoryCheckpoint> outline(const Method& method, const Checkpoint& source,
                                          const Recipe& recipe);

// The two parts of a method. Throw UsageError where the recipe quantizes no weights, the method
// needs calibration and has none, or an option is wrong; InputError as read_model.
//
// `record` gets "change".
PtqModel change_model(const Method& method, const Checkpoint& source, const MethodRequest& request,
                      nlohmann::ordered_json& record);
// `record` gets "codes". The result's config says under "mxref" what it is: recipe, method with its
// options, transforms.
std::unique_ptr<MemoryCheckpoint> choose_codes(const Method& method, PtqModel model,
                                               const MethodRequest& request,
                                               nlohmann::ordered_json& record);
// One after the other.
std::unique_ptr<MemoryCheckpoint> quantize_model(const Method& method, const Checkpoint& source,
                                                 const MethodRequest& request,
                                                 nlohmann::ordered_json& record);

}  // namespace mxref
