#pragma once
// The main job: everything that this project proves, on one model, as the results of one record.

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "emu/engine.h"
#include "eval/tasks/noise_floor.h"
#include "eval/tasks/run_task.h"
#include "eval/tasks/scorer.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/recipe.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

using Results = std::vector<nlohmann::ordered_json>;

// RTL and SystemC in lock-step: the rows "cosim" and "fault" of a record. The layers below the
// program know nothing of the RTL, so the program hands this down (eval/cli/command.h).
using Lockstep = std::function<Results(uint64_t seed, const TaskProgress& progress)>;

// What is under test.
struct Subject {
  const Checkpoint& checkpoint;
  const Tokenizer& tokenizer;
  const EngineTable& engines;
  const EngineTable& rtl_controls;       // the engine `rtl` with a planted fault
  std::vector<Recipe> recipes;           // "fp32" first, then those that are compared with it
  std::vector<const LoadedTask*> tasks;  // perplexity first, then choice tasks
  std::vector<int64_t> calibration;  // ids of a text that no task holds: operands are caught on it
  uint64_t seed = 1;
  NoiseRuns noise;  // of the accuracy
};

// All engines on random operands and on the model's own weights and activations: rows "crosscheck"
// and "control".
Results validate_agreement(const Subject& subject, const TaskProgress& progress);

// One forward pass of the whole model, under the last recipe that has a datapath and leaves
// attention to the rest, on the engine `rtl`, each product computed again by `kernel`; then the
// same pass on RTL with a planted fault, as the control: rows "rtl_forward" and "control".
Results validate_rtl_forward(const Subject& subject, const TaskProgress& progress);

// Throws UsageError where that cannot run: there is no such recipe, or the build no RTL.
void require_rtl_forward(const std::vector<Recipe>& recipes, const EngineTable& engines);

// Every task under every recipe, with its noise, and the all-zeros model as the control, which no
// noise moves: rows of the tasks, each with its "recipe", and "control".
Results validate_accuracy(const Subject& subject, const TaskProgress& progress);

// The windows of the perplexity task under each recipe that has a datapath, with fake quantization
// in its place; `accuracy` holds the datapath's own rows: rows "drift".
Results validate_drift(const Subject& subject, const Results& accuracy,
                       const TaskProgress& progress);

}  // namespace mxref
