// mxref ptq: quantize a model with a method, and write it.

#include <fmt/format.h>

#include <optional>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models/calibration_text.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/options.h"
#include "eval/report/progress.h"
#include "golden/checkpoint/layouts.h"
#include "golden/tokenizer/tokenizer.h"
#include "ptq/method.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr int64_t default_samples = 128, default_length = 512;

struct Options {
  ModelOptions model;
  std::string method;
  std::vector<std::string> settings;  // NAME=VALUE of the method
  std::string calibration;
  int64_t samples = default_samples, length = default_length;
  uint64_t seed = 0;
  const LayoutRow* layout = nullptr;
  std::filesystem::path out, json;
};

std::string method_list() {
  std::string list;
  for (const Method& row : all_methods())
    list += (list.empty() ? "" : ", ") + std::string(row.name);
  return list;
}

// The methods, and the options of each with their defaults.
std::string describe_methods() {
  std::string text =
      "methods and their options (--option NAME=VALUE), with the published defaults:\n";
  for (const Method& row : all_methods()) {
    text += fmt::format("  {:<17} {}\n", row.name, row.what);
    for (const MethodOption& option : row.options())
      text +=
          fmt::format("  {:<17}   {}={}: {}\n", "", option.name, option.default_value, option.what);
  }
  return text;
}

std::map<std::string, std::string> parse_settings(const std::vector<std::string>& settings) {
  std::map<std::string, std::string> options;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == setting.npos || equals == 0)
      throw UsageError("--option '" + setting + "' is not NAME=VALUE");
    options[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return options;
}

// A line on standard error for what a learner notes, a bar for the rest.
class Stages {
 public:
  void update(std::string_view stage, int64_t done, int64_t total, const std::string& note) {
    if (stage != stage_) {
      bar_.reset();
      stage_ = stage;
      bar_.emplace(stage_, total);
    }
    if (!note.empty()) {
      bar_->clear();
      fmt::print(stderr, "{} {} of {}: {}\n", stage, done, total, note);
    }
    bar_->update(done, total);
  }

 private:
  std::string stage_;
  std::optional<Progress> bar_;
};

void print_part(const ordered_json& record, const char* part) {
  const ordered_json& own = record[part];
  if (own["name"] == "") return;
  fmt::print("{:<8} {:<16} {:8.1f} s", part, own["name"].get<std::string>(),
             own["seconds"].get<double>());
  if (own.contains("loss_of_nearest") && own["loss_of_nearest"] > 0)
    fmt::print("  loss {:.3f} of rounding to nearest",
               own["loss"].get<double>() / own["loss_of_nearest"].get<double>());
  if (own.value("retries", 0) > 0)
    fmt::print(", {} retries with more damping", own["retries"].get<int64_t>());
  fmt::print("\n");
}

int run(const Options& o) {
  require_writable(o.json);
  require_place_for_model(o.out);
  Record record("ptq");
  const Method& chosen = method(o.method);
  if (chosen.needs_calibration() && o.calibration.empty())
    throw UsageError("method " + o.method +
                     " needs --calibration FILE (or the asset: calibration)");
  const OpenModel opened = open_model(o.model);
  MethodRequest request{.recipe = opened.recipe,
                        .options = parse_settings(o.settings),
                        .seed = o.seed,
                        .state = o.out.string() + ".learned"};
  OptionValues(chosen.options(), request.options);  // what is wrong shows before the text is read
  std::optional<Calibration> calibration;
  if (chosen.needs_calibration()) {
    const CalibrationText text = read_calibration_text(o.calibration);
    calibration = draw_calibration(text.text, text.label, *open_tokenizer(opened.path), o.samples,
                                   o.length, o.seed);
    request.calibration = &*calibration;
  }
  Stages stages;
  request.progress = [&](std::string_view stage, int64_t done, int64_t total,
                         const std::string& note) { stages.update(stage, done, total, note); };
  record.set_seed(o.seed);
  ordered_json result = {{"task", "ptq"}, {"method", o.method}};
  const auto model = quantize_model(chosen, *opened.checkpoint, request, result);
  const Layout layout = o.layout ? o.layout->layout : default_layout(*model);
  write_model(*model, layout, opened.path, o.out);
  std::error_code ignored;
  std::filesystem::remove_all(request.state, ignored);
  result["layout"] = name_of(layout);
  result["out"] = o.out.string();
  if (calibration)
    result["calibration"] = {{"text", calibration->label},
                             {"sha256", calibration->text_sha256},
                             {"samples", calibration->samples.size()},
                             {"length", calibration->length}};
  record.set("model", {{"name", o.model.model}, {"sha256", opened.checkpoint->sha256()}});
  record.set("recipe", to_json(opened.recipe));
  print_part(result, "change");
  print_part(result, "codes");
  fmt::print("{} ({}, seed {}) written in layout {}: {}\n", o.model.model, o.method, o.seed,
             name_of(layout), o.out.string());
  record.add(std::move(result));
  record.write(o.json);
  return exit_good;
}

}  // namespace

Action define_ptq(CLI::App& app, const Context&) {
  auto o = std::make_shared<Options>();
  o->model.recipe = "w4a4";
  add_model_options(app, o->model);
  app.add_option("--method", o->method, method_list())->required()->type_name("METHOD");
  app.add_option("--option", o->settings, "an option of the method (below); repeatable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  app.add_option("--calibration", o->calibration,
                 "text that the method sees: FILE (UTF-8), or `calibration`, the asset's texts but "
                 "the one that `eval` scores, or one of them: calibration/c4.utf8")
      ->type_name("FILE");
  add_number(app, "--samples", o->samples, int64_t(1), int64_t(1) << 20,
             "windows of it (default " + std::to_string(default_samples) + ")");
  add_number(app, "--length", o->length, int64_t(2), int64_t(1) << 20,
             "tokens of a window (default " + std::to_string(default_length) + ")");
  add_seed(app, o->seed, "draws the windows and whatever the method draws");
  add_named(
      app, "--layout", o->layout, layouts, "layout",
      "how it is written (default compressed-tensors where that holds the model, else mxref)");
  add_output(app, "--out", o->out, "folder of the quantized model")->required();
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  app.footer(describe_methods());
  return [o] { return run(*o); };
}

}  // namespace mxref
