// mxref eval: perplexity and choice tasks of a model, computed as a recipe says.

#include <fmt/format.h>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/models/task_options.h"
#include "eval/cli/options.h"
#include "eval/report/progress.h"
#include "eval/tasks/model_scorer.h"
#include "eval/tasks/token_file.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  TaskArguments tasks;
  std::filesystem::path tokens, json;
};

void print_head() {
  fmt::print("{:<14} {:>8}  {:<8} {:>10} {:>9}  {}\n", "task", "scored", "metric", "value",
             "stderr", "seconds");
}

void print_line(const std::string& task, int64_t scored, const char* metric,
                const ordered_json& value, const ordered_json& error, const ordered_json& seconds) {
  const auto number = [](const ordered_json& x, int digits) {
    return x.is_number() ? fmt::format("{:.{}f}", x.get<double>(), digits) : std::string("-");
  };
  fmt::print("{:<14} {:>8}  {:<8} {:>10} {:>9}  {}\n", task, scored, metric, number(value, 4),
             number(error, 4), number(seconds, 1));
  std::fflush(stdout);
}

void print(const ordered_json& r) {
  const std::string task = r["task"];
  if (task == "perplexity") {
    print_line(task, r["tokens"], "nll", r["nll"], r["nll_stderr"], r["seconds"]);
    print_line("", r["tokens"], "ppl", r["ppl"], r["ppl_stderr"], nullptr);
    return;
  }
  print_line(task, r["items"], "acc", r["acc"], r["stderr"], r["seconds"]);
  print_line("", r["items"], "acc_norm", r["acc_norm"], r["acc_norm_stderr"], nullptr);
}

// A whole text that nobody chose may take hours.
void announce(const TaskSource& source, const LoadedTask& task) {
  if (task.tokens() == 0) return;
  fmt::print(stderr,
             "mxref eval: {}: all of {}, {} windows with {} tokens to score; "
             "--limit N takes the first N\n",
             source.name, source.label, task.size(), task.tokens());
}

int run(const Options& options, const EngineTable& engines) {
  require_writable(options.json);
  Record record("eval");
  // What is wrong with the command line or a task shows before the model is read.
  const std::vector<TaskSource> sources = task_sources(options.tasks);
  if (sources.empty() && options.tokens.empty()) throw UsageError("--task or --tokens is required");
  OpenModel opened = open_model(options.model);
  std::vector<LoadedTask> tasks;
  std::unique_ptr<Tokenizer> tokenizer;
  if (!sources.empty()) tokenizer = open_tokenizer(opened.path);
  for (const TaskSource& source : sources) {
    tasks.emplace_back(source, options.tasks.options, *tokenizer);
    if (source.is_asset && options.tasks.options.limit == 0) announce(source, tasks.back());
  }
  opened.load(engines);
  if (!options.tokens.empty()) {
    tasks.emplace_back(TaskSource{"perplexity", options.tokens, options.tokens.string()},
                       read_tokens(options.tokens, opened.model->vocabulary()),
                       options.tasks.options.limit);
  }
  set_model(record, options.model, opened);
  ModelScorer scorer(*opened.model);
  print_head();
  for (const LoadedTask& task : tasks) {
    Progress progress(task.name(), task.size());
    const ordered_json result =
        task.run(scorer, [&](int64_t done, int64_t total) { progress.update(done, total); });
    progress.clear();
    print(result);
    record.add(result);
  }
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_eval(CLI::App& app, const Context& context) {
  auto o = std::make_shared<Options>();
  add_model_options(app, o->model);
  add_task_options(app, o->tasks);
  add_input(app, "--tokens", o->tokens,
            "perplexity of the rows of 'input_ids' I64 (B,T) in a safetensors file; needs no "
            "tokenizer");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &engines = context.engines] { return run(*o, engines); };
}

}  // namespace mxref
