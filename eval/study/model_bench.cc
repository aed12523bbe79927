#include "eval/study/model_bench.h"

#include <algorithm>

#include "emu/error.h"
#include "eval/tasks/token_file.h"
#include "ptq/block_statistics.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr int64_t statistics_samples = 4;  // kurtosis of 2048 tokens: moved by 1 % by the others

// Tensors share memory when they are copied; a choice of codes may use them up.
PtqModel copy_of(const PtqModel& model) {
  PtqModel copy = model;
  const auto own = [](at::Tensor& x) {
    if (x.defined()) x = x.clone();
  };
  for (at::Tensor* x : {&copy.embedding, &copy.final_norm, &copy.lm_head}) own(*x);
  for (LayerWeights& layer : copy.layers) {
    own(layer.input_norm), own(layer.post_attention_norm);
    for (LinearWeights& linear : layer.linears) own(linear.weight), own(linear.bias);
  }
  for (auto& [name, x] : copy.transform_tensors) own(x);
  return copy;
}

// Every pattern names linear layers, which are the matrices of the model but its embedding.
void check_recipes(const Grid& grid, const Checkpoint& model) {
  std::vector<std::string> modules{"lm_head"};
  const std::string end = ".weight";
  for (const std::string& name : model.names())
    if (name.ends_with(end) && name != "model.embed_tokens.weight" && name != "lm_head.weight" &&
        model.shape(name).size() == 2)
      modules.push_back(name.substr(0, name.size() - end.size()));
  for (const GridRecipe& row : grid.recipes)
    check_patterns(parse_recipe(row.recipe, row.settings), modules);
}

}  // namespace

std::filesystem::path state_folder(const std::filesystem::path& learned, const std::string& key) {
  constexpr size_t digits = 16;  // a short name, and still one key's alone
  return learned / key.substr(0, digits);
}

ModelBench::ModelBench(const Grid& grid, const GridModel& model, const GridSources& sources,
                       std::filesystem::path learned)
    : grid_(grid), learned_(std::move(learned)), source_(open_checkpoint(model.path)) {
  check_recipes(grid, *source_);
  if (!grid.calibrations.empty() ||
      !std::ranges::all_of(grid.tasks, [](const GridTask& task) { return task.tokens; }))
    tokenizer_ = open_tokenizer(model.path);
  for (const GridTask& task : grid.tasks) {
    if (task.tokens) {
      const int64_t vocabulary = source_->shape("model.embed_tokens.weight").front();
      tasks_.emplace_back(task.source, read_tokens(task.source.file, vocabulary),
                          task.options.limit);
    } else {
      tasks_.emplace_back(task.source, task.options, *tokenizer_);
    }
  }
  for (const GridCalibration& row : grid.calibrations) {
    const StudyText text = sources.calibration_text(row.text);
    calibrations_.emplace(&row, draw_calibration(text.text, text.label, *tokenizer_,
                                                 row.draw.samples, row.draw.length, row.draw.seed));
  }
}

MethodRequest ModelBench::request_of(const Cell& cell, const StageProgress& progress) const {
  MethodRequest request{.recipe = cell.recipe,
                        .options = cell.method->options,
                        .calibration = nullptr,
                        .seed = cell.seed.value_or(0),
                        .state = {},
                        .progress = progress};
  if (cell.calibration) request.calibration = &calibrations_.at(cell.calibration);
  return request;
}

ordered_json ModelBench::statistics_of(const Cell& cell, const std::string& change,
                                       const std::function<PtqModel()>& read) {
  const ordered_json sides =
      to_json(with_sides(cell.recipe, {.weights = true, .activations = true}));
  const std::string key = change + sides.dump() + to_json(cell.calibration->draw).dump();
  if (!statistics_.contains(key))
    statistics_[key] = block_statistics(read(), calibrations_.at(cell.calibration),
                                        statistics_samples, cell.recipe);
  return statistics_[key];
}

void ModelBench::quantize(const Cell& cell, const std::vector<const Cell*>& later,
                          const StageProgress& progress) {
  const Method& method = *cell.method->method;
  MethodRequest request = request_of(cell, progress);
  ordered_json own = ordered_json::object(), statistics;
  if (!changed_ || changed_->key != cell.change_key) {
    changed_.reset();
    request.state = state_folder(learned_, cell.change_key);
    PtqModel model = change_model(method, *source_, request, own);
    changed_ = std::make_unique<Changed>(
        Changed{cell.change_key, cell.name, std::move(model), own["change"]});
  } else {
    own["change"] = changed_->record;
    own["change"]["shared_with"] = changed_->cell;
  }
  const bool changes = !method.change->name.empty();
  const auto as_it_is = [&] { return changed_->model; };
  if (grid_.statistics) {
    statistics["before"] = statistics_of(cell, "", [&] { return read_model(*source_); });
    statistics["after"] =
        changes ? statistics_of(cell, cell.change_key, as_it_is) : statistics["before"];
  }
  // What changes nothing is read again sooner than kept.
  const bool again =
      changes && std::ranges::any_of(later, [&](const Cell* other) {
        return other->change_key == cell.change_key && other->codes_key != cell.codes_key;
      });
  PtqModel model = again ? copy_of(changed_->model) : std::move(changed_->model);
  if (!again) changed_.reset();
  request.state = state_folder(learned_, cell.codes_key);
  auto codes = choose_codes(method, std::move(model), request, own);
  quantized_ = std::make_unique<Quantized>(
      Quantized{cell.codes_key, cell.name, std::move(codes), own, statistics});
}

const Checkpoint& ModelBench::prepare(const Cell& cell, const std::vector<const Cell*>& later,
                                      const StageProgress& progress, ordered_json& record) {
  if (!cell.method) return *source_;
  const bool shared = quantized_ && quantized_->key == cell.codes_key;
  if (!shared) {
    quantized_.reset();
    quantize(cell, later, progress);
  }
  record["ptq"] = quantized_->record;
  if (shared) record["ptq"]["shared_with"] = quantized_->cell;
  if (grid_.statistics) record["statistics"] = quantized_->statistics;
  return *quantized_->model;
}

void ModelBench::release() {
  changed_.reset();
  quantized_.reset();
}

}  // namespace mxref
