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
#include <string>
#include <string_view>
#include <vector>

#include "golden/recipe.h"
#include "ptq/calibration.h"
#include "ptq/model.h"
#include "ptq/options.h"

namespace mxref {

// What a change or a choice of codes works with.
struct MethodContext {
  const Recipe& recipe;
  const OptionValues& options;
  const Calibration* calibration;  // null where the method needs none
  uint64_t seed;
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

struct ModelChange {
  std::string_view name;  // "" : none
  bool needs_calibration;
  bool runs_on_line;  // whether it leaves transforms that run on line
  std::vector<MethodOption> (*options)();
  void (*apply)(PtqModel& model, const MethodContext& context);
};
struct CodeChoice {
  std::string_view name;
  bool needs_calibration;
  std::vector<MethodOption> (*options)();
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
  bool needs_calibration() const { return change->needs_calibration || choice->needs_calibration; }
  // Of both parts; no name stands in both.
  std::vector<MethodOption> options() const;
};

const std::vector<Method>& all_methods();
// Throws UsageError with the valid names.
const Method& method(std::string_view name);

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
// What the change depends on besides the source: the method's change, its options, the recipe, the
// calibration, the seed. `record` gets "change".
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
