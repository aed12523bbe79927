// Perplexity of SmolLM2 as recipes compute it, beside binary32 by libtorch and oneDNN.

#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <cstdio>

#include "emu/isa.h"
#include "emu/threads.h"
#include "eval/assets/assets.h"
#include "eval/tasks/model_scorer.h"
#include "eval/tasks/run_task.h"
#include "golden/models/language_model.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {
namespace {

constexpr TaskOptions some_windows{.window = 1024, .limit = 2};

// The first is the yardstick.
struct Computed {
  const char* recipe;
  const char* rest;
};
constexpr Computed computed[] = {
    {"fp32", "library"}, {"fp32", "strict"}, {"w4a4", "strict"}, {"w8a8", "strict"}};

// Whether all that is read is there; tells what is not.
bool has_assets() {
  for (const char* name : {"smollm2", "calibration"})
    if (!is_present(asset(name))) {
      fmt::print("model: skipped: the asset {0} is missing; 'mxref assets get {0}' fetches it\n",
                 name);
      return false;
    }
  return true;
}

}  // namespace

void bench_model(int repeat, Record& record) {
  if (!has_assets()) return;
  limit_libraries();
  at::set_num_threads(threads());
  const auto path = asset_path("smollm2");
  const auto checkpoint = open_checkpoint(path);
  const auto tokenizer = open_tokenizer(path);
  const LoadedTask task({perplexity_name, asset_path("calibration", "wiki.utf8"), "wiki.utf8"},
                        some_windows, *tokenizer);
  const EngineTable engines = {{"kernel", make_kernel_engine}};
  fmt::print("SmolLM2, {} windows of {} tokens, {}, {} threads; ratio: to fp32 by the library\n",
             task.size(), some_windows.window, name_of(current_isa()), threads());
  fmt::print("{:8}  {:8}  {:>10}  {:>8}  {:>6}\n", "recipe", "rest", "perplexity", "tokens/s",
             "ratio");

  std::vector<std::unique_ptr<LanguageModel>> models;
  std::vector<nlohmann::ordered_json> results(std::size(computed));
  std::vector<std::function<void()>> works;
  for (size_t i = 0; i < std::size(computed); ++i) {
    const std::string rest = computed[i].rest;
    models.push_back(
        load_model(*checkpoint, parse_recipe(computed[i].recipe, {"rest=" + rest}), engines));
    works.push_back([&task, &result = results[i], model = models.back().get()] {
      ModelScorer scorer(*model);
      result = task.run(scorer, {});
    });
  }
  const std::vector<double> seconds = best_seconds(repeat, works);
  for (size_t i = 0; i < std::size(computed); ++i) {
    const auto perplexity = results[i]["ppl"].get<double>();
    const double speed = double(task.tokens()) / seconds[i], ratio = seconds[0] / seconds[i];
    fmt::print("{:8}  {:8}  {:10.4f}  {:8.0f}  {:6.2f}\n", computed[i].recipe, computed[i].rest,
               perplexity, speed, ratio);
    record.add({{"task", "model"},
                {"model", "smollm2"},
                {"sha256", checkpoint->sha256()},
                {"recipe", computed[i].recipe},
                {"rest", computed[i].rest},
                {"window", some_windows.window},
                {"tokens", task.tokens()},
                {"ppl", perplexity},
                {"seconds", seconds[i]},
                {"tokens_per_second", speed},
                {"ratio", ratio},
                {"isa", name_of(current_isa())},
                {"threads", threads()}});
  }
  std::fflush(stdout);
}

}  // namespace mxref::bench
