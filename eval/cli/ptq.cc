// mxref ptq: quantize a model with a method, and write it.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <optional>
#include <ranges>

#include "emu/files/atomic_file.h"
#include "eval/cli/command.h"
#include "eval/cli/models/calibration_text.h"
#include "eval/cli/models/model_options.h"
#include "eval/cli/options.h"
#include "eval/report/peak_memory.h"
#include "eval/report/progress.h"
#include "golden/checkpoint/layouts.h"
#include "golden/tokenizer/tokenizer.h"
#include "ptq/method.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

struct PtqSettings {
  ModelOptions model;
  std::string method;
  std::vector<std::string> settings;  // NAME=VALUE of the method
  std::string calibration;
  std::vector<const CLI::Option*> of_calibration;  // what a method without one leaves idle
  int64_t samples = default_samples, length = default_sample_length;
  uint64_t seed = 0;
  const LayoutRow* layout = nullptr;
  fs::path out, json;
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

void print_part(const ordered_json& record, const char* part) {
  const ordered_json& own = record[part];
  if (own["name"] == "") return;
  fmt::print("{:<8} {:<16} {:8.1f} s", part, own["name"].get<std::string>(),
             own["seconds"].get<double>());
  if (own.contains("loss_of_nearest") && own["loss_of_nearest"] > 0)
    fmt::print("  loss {:.3f} of rounding to nearest",
               own["loss"].get<double>() / own["loss_of_nearest"].get<double>());
  fmt::print("\n");
  if (const ordered_json rows = own.value("irregular", ordered_json::array()); !rows.empty())
    fmt::print(
        "  {} retries with more damping and {} columns without an input, in {} matrices, {} first "
        "(--json names them)\n",
        own["retries"].get<int64_t>(), own["dead_columns"].get<int64_t>(), rows.size(),
        rows[0]["module"].get<std::string>());
  if (own.contains("left_out_of_learning"))
    fmt::print("  learned as if these were not quantized: {}\n",
               fmt::join(own["left_out_of_learning"].get<std::vector<std::string>>(), ", "));
  if (const int64_t left = own.value("matrices_not_clipped", int64_t(0)); left > 0)
    fmt::print("  not clipped: {} of {} matrices (q, k, and what has a tensor scale)\n", left,
               left + own["matrices_clipped"].get<int64_t>());
}

// The same folder with a name at its end, so that what stands beside it does not stand in it.
fs::path with_name(fs::path folder) {
  if (const fs::path last = folder.filename(); last == "." || last == "..")
    folder = fs::weakly_canonical(folder);
  while (!folder.has_filename() && folder != folder.root_path()) folder = folder.parent_path();
  return folder;
}

void check_options(const PtqSettings& o, const Method& chosen) {
  if (chosen.needs_calibration() && o.calibration.empty())
    throw UsageError("method " + o.method +
                     " needs --calibration FILE (or the asset: calibration)");
  for (const CLI::Option* option : o.of_calibration)
    if (option->count() > 0 && !chosen.needs_calibration())
      throw UsageError("method " + o.method + " looks at no text: " + option->get_name() +
                       " is not for it");
  OptionValues(chosen.options(), parse_settings(o.settings));
}

// What was learned is in the model: the files of this run go, and their folder where it holds
// nothing else.
void remove_learned(const std::vector<fs::path>& learned) {
  std::error_code ignored;
  for (const fs::path& path : learned | std::views::reverse) fs::remove(path, ignored);
}

int ptq_command(const PtqSettings& o) {
  const fs::path out = with_name(o.out);
  require_writable(o.json);
  require_place_for_model(out);
  Record record("ptq");
  const auto start = Clock::now();
  const Method& chosen = method(o.method);
  check_options(o, chosen);
  const OpenModel opened = open_model(o.model);
  if (o.layout)
    if (const std::string objection =
            objection_to(*outline(chosen, *opened.checkpoint, opened.recipe), o.layout->layout);
        !objection.empty())
      throw UsageError(objection);
  std::vector<fs::path> learned;
  MethodRequest request{.recipe = opened.recipe,
                        .options = parse_settings(o.settings),
                        .seed = o.seed,
                        .state = out.string() + ".learned",
                        .learned = &learned};
  std::optional<Calibration> calibration;
  if (chosen.needs_calibration()) {
    const CalibrationText text = read_calibration_text(o.calibration);
    calibration = draw_calibration(text.text, text.label, *open_tokenizer(opened.path), o.samples,
                                   o.length, o.seed);
    calibration->asset = text.asset;
    request.calibration = &*calibration;
  }
  StageBars stages;
  request.progress = [&](std::string_view stage, int64_t done, int64_t total,
                         const std::string& note) { stages.update(stage, done, total, note); };
  record.set_seed(o.seed);
  ordered_json result = {{"task", "ptq"}, {"method", o.method}};
  const auto model = quantize_model(chosen, *opened.checkpoint, request, result);
  const Layout layout = o.layout ? o.layout->layout : default_layout(*model);
  write_model(*model, layout, opened.path, out);
  remove_learned(learned);
  result["layout"] = name_of(layout);
  result["out"] = o.out.string();
  result["seconds"] = std::chrono::duration<double>(Clock::now() - start).count();
  result["peak_memory_bytes"] = peak_memory_bytes();
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
  auto o = std::make_shared<PtqSettings>();
  o->model.recipe = "w4a4";
  add_model_options(app, o->model);
  app.add_option("--method", o->method, method_list())->required()->type_name("METHOD");
  app.add_option("--option", o->settings, "an option of the method (below); repeatable")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  o->of_calibration = {
      app.add_option(
             "--calibration", o->calibration,
             "text that the method sees: FILE (UTF-8), or `calibration`, the asset's texts but "
             "the one that `eval` scores, or one of them: calibration/c4.utf8")
          ->type_name("FILE"),
      add_number(app, "--samples", o->samples, int64_t(1), int64_t(1) << 20,
                 "windows of it (default " + std::to_string(default_samples) + ")"),
      add_number(app, "--length", o->length, int64_t(2), int64_t(1) << 20,
                 "tokens of a window (default " + std::to_string(default_sample_length) + ")")};
  add_seed(app, o->seed, "draws the windows and whatever the method draws");
  add_named(
      app, "--layout", o->layout, layouts, "layout",
      "how it is written (default compressed-tensors where that holds the model, else mxref)");
  add_output(app, "--out", o->out, "folder of the quantized model")->required();
  add_threads(app);
  add_isa(app);
  add_json(app, o->json);
  app.footer(describe_methods());
  return [o] { return ptq_command(*o); };
}

}  // namespace mxref
