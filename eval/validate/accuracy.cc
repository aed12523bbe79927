#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/tasks/choice_score.h"
#include "eval/tasks/model_scorer.h"
#include "eval/validate/validate.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// Progress over several tasks as one: `before` units are done.
TaskProgress from(const TaskProgress& progress, int64_t before, int64_t total) {
  return [=](int64_t done, int64_t) {
    if (progress) progress(before + done, total);
  };
}

int64_t units(const std::vector<const LoadedTask*>& tasks) {
  int64_t sum = 0;
  for (const LoadedTask* task : tasks) sum += task->size();
  return sum;
}

// Whether a result is what an all-zeros model must score, and the model's own result is better: the
// perplexity of its vocabulary; a share of hits within four standard errors of chance.
bool at_chance(const ordered_json& zeros, const ordered_json& model, int64_t vocabulary) {
  if (zeros["task"] == "perplexity")
    return std::abs(zeros["ppl"].get<double>() / double(vocabulary) - 1) < 1e-9 &&
           model["ppl"].get<double>() < zeros["ppl"].get<double>();
  const double chance = zeros["chance"].get<double>(), items = zeros["items"].get<double>();
  return std::abs(zeros["acc"].get<double>() - chance) <=
         4 * std::sqrt(chance * (1 - chance) / items);
}

}  // namespace

Results validate_accuracy(const Subject& subject, const TaskProgress& progress) {
  Results results;
  const int64_t total = units(subject.tasks) * int64_t(subject.recipes.size());
  int64_t done = 0, vocabulary = 0;
  for (const Recipe& recipe : subject.recipes) {
    const auto model = load_model(subject.checkpoint, recipe, subject.engines);
    vocabulary = model->vocabulary();
    ModelScorer scorer(*model);
    for (const LoadedTask* task : subject.tasks) {
      ordered_json row = task->run(scorer, from(progress, done, total));
      row["recipe"] = recipe.name;
      results.push_back(std::move(row));
      done += task->size();
    }
  }
  AllZerosScorer zeros(vocabulary);
  for (size_t i = 0; i < subject.tasks.size(); ++i)
    results.push_back(
        {{"task", "control"},
         {"name", "all-zeros model, " + subject.tasks[i]->name()},
         {"caught", at_chance(subject.tasks[i]->run(zeros, {}), results[i], vocabulary)}});
  return results;
}

Results validate_drift(const Subject& subject, const Results& accuracy,
                       const TaskProgress& progress) {
  Results results;
  std::vector<const Recipe*> recipes;
  for (const Recipe& recipe : subject.recipes)
    if (has_datapath(recipe)) recipes.push_back(&recipe);
  const LoadedTask& task = *subject.tasks[0];
  for (size_t r = 0; r < recipes.size(); ++r) {
    Recipe fake = *recipes[r];
    fake.datapath = "fake_quant";
    const auto model = load_model(subject.checkpoint, fake, subject.engines);
    ModelScorer scorer(*model);
    const ordered_json other = task.run(
        scorer, from(progress, int64_t(r) * task.size(), int64_t(recipes.size()) * task.size()));
    for (const ordered_json& own : accuracy) {
      if (own["task"] != "perplexity" || own["recipe"] != recipes[r]->name) continue;
      std::vector<double> difference;
      for (size_t i = 0; i < own["nll_sums"].size(); ++i)
        difference.push_back(
            (own["nll_sums"][i].get<double>() - other["nll_sums"][i].get<double>()) /
            own["scored"][i].get<double>());
      results.push_back({{"task", "drift"},
                         {"recipe", recipes[r]->name},
                         {"fake_quant_nll", other["nll"]},
                         {"datapath_nll", own["nll"]},
                         {"difference", difference},
                         {"scored", own["scored"]},
                         {"seconds", other["seconds"]}});
    }
  }
  return results;
}

}  // namespace mxref
