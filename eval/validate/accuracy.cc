#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/report/result_rows.h"
#include "eval/tasks/model_scorer.h"
#include "eval/validate/all_zeros_model.h"
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

// By so much a model's share of hits must be above that of blind choices.
constexpr double least_margin = 0.04;

// The all-zeros model goes the way of every other; each of its scores must be log V a token, and
// `model`, the same task's result of the model, must be better. Noise must move the model, and not
// this one: of many runs one will do, since all are alike.
ordered_json zeros_control(const LoadedTask& task, const ordered_json& model, int64_t vocabulary,
                           int64_t window, const NoiseRuns& noise) {
  AllZerosModel zeros(vocabulary, window);
  ModelScorer scorer(zeros);
  ZeroScoresWitness witness(scorer, vocabulary);
  const bool text = task.name() == perplexity_name;
  const NoiseRuns one{.runs = text ? std::min(noise.runs, int64_t(1)) : 0, .seed = noise.seed};
  const ordered_json blind = run_with_noise(task, witness, one, {});
  ordered_json row = {{"task", "control"},
                      {"name", "all-zeros model, " + task.name()},
                      {"what", "every logit is zero"}};
  bool better = false;
  if (text) {
    row.update({{"blind_nll", blind["nll"]}, {"nll", model["nll"]}});
    better = model["nll"].get<double>() < blind["nll"].get<double>();
    if (one.runs > 0) better = better && noise_of(model, "nll") > 0 && noise_of(blind, "nll") == 0;
  } else {
    row.update({{"blind_acc", blind["acc"]}, {"acc", model["acc"]}});
    better = model["acc"].get<double>() >= blind["acc"].get<double>() + least_margin;
  }
  row["caught"] = better && witness.scores() > 0 && witness.others() == 0;
  return row;
}

}  // namespace

Results validate_accuracy(const Subject& subject, const TaskProgress& progress) {
  Results results;
  const int64_t runs = 1 + subject.noise.runs;
  const int64_t total = units(subject.tasks) * int64_t(subject.recipes.size()) * runs;
  int64_t done = 0, vocabulary = 0, window = 0;
  for (const Recipe& recipe : subject.recipes) {
    const auto model = load_model(subject.checkpoint, recipe, subject.engines);
    vocabulary = model->vocabulary();
    window = model->window();
    ModelScorer scorer(*model);
    for (const LoadedTask* task : subject.tasks) {
      ordered_json row = run_with_noise(*task, scorer, subject.noise, from(progress, done, total));
      row["recipe"] = recipe.name;
      results.push_back(std::move(row));
      done += task->size() * runs;
    }
  }
  for (size_t i = 0; i < subject.tasks.size(); ++i)  // the first rows are those of fp32
    results.push_back(
        zeros_control(*subject.tasks[i], results[i], vocabulary, window, subject.noise));
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
