// mxref validate: the main job. Five parts on one model, one record, one page.

#include "eval/validate/validate.h"

#include <fmt/format.h>

#include "emu/crosscheck/controls.h"
#include "emu/files/atomic_file.h"
#include "emu/files/sha256.h"
#include "eval/cli/command.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/models/task_options.h"
#include "eval/cli/options.h"
#include "eval/cli/output_paths.h"
#include "eval/data_folder.h"
#include "eval/report/gnuplot.h"
#include "eval/report/page.h"
#include "eval/report/progress.h"
#include "eval/report/published.h"
#include "eval/report/summary.h"
#include "golden/stored_recipe.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// Sized for well under ten minutes on two cores. Each run of noise takes as long as all of the
// accuracy does without: with two of them a machine with AVX2 alone would need the ten minutes.
struct ValidateSettings {
  std::string model = "smollm2";
  std::vector<std::string> recipes;  // none: the model's own, or usual_recipes
  std::filesystem::path out, json;
  const EngineEntry* control = nullptr;
  uint64_t seed = 1;
  TaskOptions text = {.window = 512, .limit = 8};
  int64_t items = 50;
  int64_t noise_runs = 1;
};
constexpr const char* choice_task_names[] = {"piqa", "arc_easy"};

// What a pass of the model on the RTL compared, by kind; empty where there was none.
std::string kinds_compared(const Results& results) {
  for (const ordered_json& row : results)
    if (row["task"] == "rtl_forward")
      return fmt::format(" ({} of layers, {} hidden values, {} logits)",
                         row["layer_results"].get<int64_t>(), row["hidden_values"].get<int64_t>(),
                         row["logits"].get<int64_t>());
  return "";
}

// What a part did, for the line that it prints.
std::string outcome(const Results& results) {
  const Counts c = count(ordered_json(results));
  std::string text;
  if (c.compared > 0)
    text = fmt::format("{} results compared{}, {} different", c.compared, kinds_compared(results),
                       c.different);
  if (c.controls > 0)
    text +=
        fmt::format("{}{} of {} controls caught", text.empty() ? "" : "; ", c.caught, c.controls);
  return text.empty() ? "done" : text;
}

// Runs the parts in order: progress while one works, a line when it is done, its results kept.
class Parts {
 public:
  explicit Parts(Record& record) : record_(record) {}

  Results run(const std::string& name, const std::function<Results(const TaskProgress&)>& part) {
    const auto start = std::chrono::steady_clock::now();
    Progress progress(fmt::format("{}/5 {}", ++number_, name), 0);
    const Results results =
        part([&](int64_t done, int64_t total) { progress.update(done, total); });
    progress.clear();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    fmt::print("{}/5 {:<28} {} ({:.0f} s)\n", number_, name, outcome(results), seconds.count());
    for (const ordered_json& row : results) {
      if (row["task"] == "failure") fmt::print("{}\n", row["text"].get<std::string>());
      record_.add(row);
      all_.push_back(row);
    }
    std::fflush(stdout);
    return results;
  }
  const ordered_json& all() const { return all_; }

 private:
  Record& record_;
  ordered_json all_ = ordered_json::array();
  int number_ = 0;
};

ordered_json published() {
  ordered_json cells = ordered_json::array();
  for (const PublishedCell& cell : published_cells)
    cells.push_back({{"model", cell.model},
                     {"recipe", cell.recipe},
                     {"recovery_percent", cell.recovery_percent},
                     {"perplexity", cell.perplexity},
                     {"source", published_source}});
  return cells;
}

ordered_json stored(const Checkpoint& checkpoint) {
  ordered_json rows = ordered_json::array();
  for (const Storage& row : checkpoint.storage())
    rows.push_back({{"type", row.type}, {"values", row.values}, {"bytes", row.bytes}});
  return rows;
}

ordered_json text_entry(const TaskSource& source) {
  return {{"file", source.label}, {"sha256", sha256_of_file(source.file)}};
}

const std::vector<std::string> usual_recipes = {"w8a8", "w4a8", "w4a4"};

std::vector<Recipe> parse_recipes(const std::vector<std::string>& names) {
  std::vector<Recipe> recipes{parse_recipe("fp32")};
  for (const std::string& name : names)
    if (name != "fp32") recipes.push_back(parse_recipe(name));
  return recipes;
}

void run_parts(const Subject& subject, const Context& context, Parts& parts) {
  parts.run("agreement of the engines",
            [&](const TaskProgress& p) { return validate_agreement(subject, p); });
  parts.run("RTL and SystemC in lock-step",
            [&](const TaskProgress& p) { return context.lockstep(subject.seed, p); });
  parts.run("the model on the RTL",
            [&](const TaskProgress& p) { return validate_rtl_forward(subject, p); });
  const Results accuracy =
      parts.run("accuracy", [&](const TaskProgress& p) { return validate_accuracy(subject, p); });
  parts.run("drift of fake quantization",
            [&](const TaskProgress& p) { return validate_drift(subject, accuracy, p); });
}

int validate_command(const ValidateSettings& options, const Context& context) {
  // What is wrong with the command line shows before anything is made or computed.
  std::vector<Recipe> recipes =
      parse_recipes(options.recipes.empty() ? usual_recipes : options.recipes);
  require_rtl_forward(recipes, context.engines);
  const OutputFolder folder(options.out);
  const std::filesystem::path json = options.out / "report.json",
                              html = options.out / "report.html";
  require_distinct({{"--json", options.json}, {"the page", html}}, {});
  for (const auto& path : {json, html, options.json}) require_writable(path);
  require_plots();
  const ordered_json fronts =
      ordered_json::parse(read_file(data_file("rtl_models/synth/fronts.json")));
  Record record("validate");
  record.set_seed(options.seed);

  const std::filesystem::path path = model_path(options.model);
  const auto checkpoint = open_checkpoint(path);
  if (const auto own = stored_recipe(*checkpoint); own && options.recipes.empty()) {
    recipes = {recipes.front(), *own};
    require_rtl_forward(recipes, context.engines);
  }
  const auto tokenizer = open_tokenizer(path);
  const TaskSource text = default_source("perplexity");
  const TaskSource calibration = asset_source("calibration", "calibration", "c4.utf8");
  std::vector<LoadedTask> tasks;
  tasks.emplace_back(text, options.text, *tokenizer);
  for (const char* name : choice_task_names)
    tasks.emplace_back(default_source(name), TaskOptions{.limit = options.items}, *tokenizer);
  EngineTable engines = context.engines;
  if (options.control) engines.push_back(*options.control);
  Subject subject{.checkpoint = *checkpoint,
                  .tokenizer = *tokenizer,
                  .engines = engines,
                  .rtl_controls = context.rtl_controls,
                  .recipes = recipes,
                  .tasks = {},
                  .calibration = tokenizer->encode(read_file(calibration.file)),
                  .seed = options.seed,
                  .noise = {.runs = options.noise_runs, .seed = options.seed}};
  for (const LoadedTask& task : tasks) subject.tasks.push_back(&task);

  // A model that cannot be loaded fails here, not after the first parts.
  const int64_t parameters =
      load_model(*checkpoint, subject.recipes.front(), context.engines)->parameters();
  Parts parts(record);
  run_parts(subject, context, parts);

  ordered_json recipe_objects = ordered_json::object();
  for (const Recipe& recipe : recipes) recipe_objects[recipe.name] = to_json(recipe);
  record.set("model", {{"name", options.model},
                       {"sha256", checkpoint->sha256()},
                       {"parameters", parameters},
                       {"storage", stored(*checkpoint)}});
  record.set("recipes", recipe_objects);
  record.set("texts", {{"perplexity", text_entry(text)}, {"calibration", text_entry(calibration)}});
  record.set("published", published());
  record.set("fronts", fronts);
  const ordered_json summary = summarize(parts.all());
  record.set("summary", summary);
  // The page is made of what the file holds.
  const std::string whole = record.text(), page = render_page(ordered_json::parse(whole));
  for (const auto& path : {json, options.json})
    if (!path.empty()) write_atomically(path, whole);
  write_atomically(html, page);
  fmt::print("\n{}\n{}\n", summary["verdict"].get<std::string>(),
             std::filesystem::absolute(html).lexically_normal().string());
  return summary["passed"].get<bool>() ? exit_good : exit_check_failed;
}

}  // namespace

Action define_validate(CLI::App& app, const Context& context) {
  auto o = std::make_shared<ValidateSettings>();
  app.add_option("--model", o->model, "a model as for eval (default smollm2)")->type_name("MODEL");
  app.add_option(
         "--recipe", o->recipes,
         "compared with fp32; repeatable (default: as a quantized model says itself, else w8a8, "
         "w4a8, w4a4); the last one runs on the RTL")
      ->type_name("RECIPE")
      ->expected(1)
      ->take_all();
  add_output(app, "--out", o->out, "folder for report.html and report.json")
      ->required()
      ->type_name("DIR");
  add_number(app, "--window", o->text.window, int64_t(2), int64_t(1) << 20,
             "tokens of a window of perplexity (default 512)");
  add_number(app, "--windows", o->text.limit, int64_t(2), int64_t(1) << 40,
             "windows of perplexity (default 8)");
  add_number(app, "--items", o->items, int64_t(2), int64_t(1) << 40,
             "items of each choice task (default 50); on few, a model may not show that it knows "
             "more than "
             "the all-zeros model, which is the control");
  add_noise(app, o->noise_runs);
  add_seed(app, o->seed, "seed of the random operands and of the first run of --noise");
  add_named(
      app, "--control", o->control, control_engines(), "engine",
      "one engine more, with a known fault: the verdict must be that the bits differ, and the "
      "exit code 1");
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  return [o, &context] { return validate_command(*o, context); };
}

}  // namespace mxref
