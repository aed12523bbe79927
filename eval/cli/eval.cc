// mxref eval: perplexity and choice tasks of a model, computed as a recipe says.

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/models/task_options.h"
#include "eval/cli/options.h"
#include "eval/report/progress.h"
#include "eval/report/result_rows.h"
#include "eval/tasks/model_scorer.h"
#include "eval/tasks/noise_floor.h"
#include "eval/tasks/token_file.h"
#include "golden/models/noise.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

struct EvalSettings {
  ModelOptions model;
  TaskArguments tasks;
  NoiseRuns noise;
  CLI::Option* seed = nullptr;  // so that it can be seen whether it was given
  std::filesystem::path tokens, json;
};

// A line of the table; the column of the noise is there where it was asked for.
void print_columns(const std::string& task, const std::string& scored, const char* metric,
                   const std::string& value, const std::string& error,
                   const std::optional<std::string>& noise, const std::string& seconds) {
  fmt::print("{:<14} {:>8}  {:<8} {:>10} {:>9}  {}{}\n", task, scored, metric, value, error,
             noise ? fmt::format("{:>8}  ", *noise) : "", seconds);
  std::fflush(stdout);
}

void print_head(const NoiseRuns& noise) {
  print_columns("task", "scored", "metric", "value", "stderr",
                noise.runs > 0 ? std::optional("noise") : std::nullopt, "seconds");
}

// The metric of a result. `scored` and `error` name its other fields; its first line has the name
// of the task and the seconds.
void print_metric(const ordered_json& r, const char* scored, const char* metric, const char* error,
                  bool first) {
  const auto number = [](const ordered_json& x, int digits) {
    return x.is_number() ? fmt::format("{:.{}f}", x.get<double>(), digits) : std::string("-");
  };
  // Of any size, unlike the others: 1e-8 or percents.
  const double spread = noise_of(r, metric);
  const std::string noise = std::isnan(spread) ? "-" : fmt::format("{:.2g}", spread);
  print_columns(first ? r["task"].get<std::string>() : "", std::to_string(r[scored].get<int64_t>()),
                metric, number(r[metric], 4), number(r[error], 4),
                r.contains("noise") ? std::optional(noise) : std::nullopt,
                first ? number(r["seconds"], 1) : "-");
}

void print_result(const ordered_json& r, const Recipe& recipe) {
  if (r["task"] == perplexity_name) {
    print_metric(r, "tokens", "nll", "nll_stderr", /*first=*/true);
    print_metric(r, "tokens", "ppl", "ppl_stderr", /*first=*/false);
  } else {
    print_metric(r, "items", "acc", "stderr", /*first=*/true);
    print_metric(r, "items", "acc_norm", "acc_norm_stderr", /*first=*/false);
  }
  if (r.contains("logits_sha256"))
    fmt::print("{:<14} {}\n", "", told_digest(r["logits_sha256"], recipe));
}

void print_foot(const NoiseRuns& noise) {
  if (noise.runs == 0) return;
  fmt::print(
      "noise: standard deviation of the run and {} more, {} perturbed by a relative 2^{} "
      "(seed {}); two figures differ by chance by √2 of it, and by more\n",
      noise.runs, noise_places, noise_log2, noise.seed);
}

// A whole text that nobody chose may take hours.
void announce(const TaskSource& source, const LoadedTask& task) {
  if (task.tokens() == 0) return;
  fmt::print(stderr,
             "mxref eval: {}: all of {}, {} windows with {} tokens to score; "
             "--limit N takes the first N\n",
             source.name, source.label, task.size(), task.tokens());
}

int eval_command(const EvalSettings& options, const EngineTable& engines) {
  require_writable(options.json);
  Record record("eval");
  // What is wrong with the command line or a task shows before the model is read.
  const std::vector<TaskSource> sources = task_sources(options.tasks);
  if (sources.empty() && options.tokens.empty()) throw UsageError("--task or --tokens is required");
  if (options.seed->count() > 0 && options.noise.runs == 0)
    throw UsageError("--seed draws the perturbations of --noise, which is not asked for");
  if (options.noise.runs > 0) record.set_seed(options.noise.seed);
  OpenModel opened = open_model(options.model);
  std::vector<LoadedTask> tasks;
  std::unique_ptr<Tokenizer> tokenizer;
  if (!sources.empty()) tokenizer = open_tokenizer(opened.path);
  for (const TaskSource& source : sources) {
    tasks.emplace_back(source, options.tasks.options, *tokenizer);
    if (source.is_asset && options.tasks.options.limit == 0) announce(source, tasks.back());
  }
  opened.load(engines);
  if (const int64_t made_for = opened.model->window();
      options.tasks.window->count() > 0 && options.tasks.options.window > made_for)
    fmt::print(stderr, "note: {} tokens are more than the {} that the model was made for\n",
               options.tasks.options.window, made_for);
  if (!options.tokens.empty()) {
    tasks.emplace_back(TaskSource{"perplexity", options.tokens, options.tokens.string()},
                       read_tokens(options.tokens, opened.model->vocabulary()),
                       options.tasks.options.limit);
  }
  set_model(record, options.model, opened);
  ModelScorer scorer(*opened.model);
  print_head(options.noise);
  for (const LoadedTask& task : tasks) {
    Progress progress(task.name(), task.size());
    const ordered_json result =
        run_with_noise(task, scorer, options.noise,
                       [&](int64_t done, int64_t total) { progress.update(done, total); });
    progress.clear();
    print_result(result, opened.recipe);
    record.add(result);
  }
  print_foot(options.noise);
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_eval(CLI::App& app, const Context& context) {
  auto o = std::make_shared<EvalSettings>();
  add_model_options(app, o->model);
  add_task_options(app, o->tasks);
  add_input(app, "--tokens", o->tokens,
            "perplexity of the rows of 'input_ids' I64 (B,T) in a safetensors file; needs no "
            "tokenizer");
  add_noise(app, o->noise.runs);
  o->seed = add_seed(app, o->noise.seed,
                     "seed of the first run of --noise, one more for each that follows");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &engines = context.engines] { return eval_command(*o, engines); };
}

}  // namespace mxref
