#include "eval/study/cells.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "emu/files/sha256.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

bool quantizes_weights(const Recipe& recipe) {
  return recipe.weights.conversion ||
         std::ranges::any_of(recipe.overrides, [](const RecipeOverride& item) {
           return item.weights && item.weights->conversion;
         });
}

// A scale rule is for both sides, where they have one; a datapath where there are two sides.
Recipe recipe_of(const GridRecipe& row, std::string& scale_rule, std::string& datapath) {
  std::vector<std::string> settings = row.settings;
  const Recipe base = parse_recipe(row.recipe, settings);
  const auto takes_rule = [](const RecipeSide& side) {
    return side.conversion && !side.conversion->format->has_tensor_scale();
  };
  bool ruled = false;
  for (const auto& [name, side] :
       {std::pair{"weights", &base.weights}, std::pair{"activations", &base.activations}})
    if (!scale_rule.empty() && takes_rule(*side)) {
      settings.push_back(std::string(name) + ".scale_rule=" + scale_rule);
      ruled = true;
    }
  if (!ruled) scale_rule.clear();
  const bool multiplies = base.weights.conversion && base.activations.conversion;
  if (!multiplies && !base.attention) datapath.clear();
  if (!datapath.empty()) settings.push_back("datapath=" + datapath);
  return parse_recipe(row.recipe, settings);
}

ordered_json settings_of(const Cell& cell, const Grid& grid) {
  ordered_json settings = {
      {"model", {{"sha256", cell.model->sha256}, {"config_sha256", cell.model->config_sha256}}},
      {"method", nullptr},
      {"recipe", to_json(cell.recipe)},
      {"calibration", nullptr}};
  if (cell.method)
    settings["method"] = {
        {"name", cell.method->method->name},
        {"options", OptionValues(cell.method->method->options(), cell.method->options).to_json()},
        {"seed", cell.seed ? ordered_json(*cell.seed) : ordered_json(nullptr)}};
  if (cell.calibration) settings["calibration"] = to_json(cell.calibration->draw);
  for (const GridTask& task : grid.tasks)
    settings["tasks"].push_back({{"task", task.source.name},
                                 {"file_sha256", task.sha256},
                                 {"window", task.options.window},
                                 {"limit", task.options.limit}});
  settings["noise"] = {{"runs", grid.noise}, {"seed", grid.noise > 0 ? grid.seed : 0}};
  settings["statistics"] = grid.statistics && cell.method;
  return settings;
}

void set_keys(Cell& cell) {
  if (!cell.method) return;
  MethodInputs inputs{.model_sha256 = cell.model->sha256,
                      .config_sha256 = cell.model->config_sha256,
                      .recipe = cell.recipe,
                      .options = cell.method->options,
                      .calibration = {},
                      .seed = cell.seed.value_or(0)};
  if (cell.calibration) inputs.calibration = cell.calibration->draw;
  cell.change_key = sha256(inputs_of_change(*cell.method->method, inputs).dump());
  cell.codes_key = sha256(inputs_of_codes(*cell.method->method, inputs).dump());
}

std::string file_name(const Cell& cell) {
  std::string name;
  for (const char c : cell.title()) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '+' || c == '-';
    if (kept || !name.ends_with('_')) name += kept ? c : '_';
  }
  constexpr size_t longest = 120;
  return name.substr(0, longest) + "-" + cell.settings_sha256.substr(0, 8);
}

class CellList {
 public:
  explicit CellList(const Grid& grid) : grid_(grid) {}
  void add(Cell cell) {
    cell.settings = settings_of(cell, grid_);
    cell.settings_sha256 = sha256(cell.settings.dump());
    if (!known_.insert(cell.settings_sha256).second) return;
    set_keys(cell);
    cell.name = file_name(cell);
    cells_.push_back(std::move(cell));
  }
  std::vector<Cell> take() { return std::move(cells_); }

 private:
  const Grid& grid_;
  std::set<std::string> known_;
  std::vector<Cell> cells_;
};

Cell cell_of(const GridModel& model, const std::string& recipe) {
  return {.name = "",
          .model = &model,
          .method = nullptr,
          .recipe_name = recipe,
          .scale_rule = "",
          .datapath = "",
          .recipe = {},
          .calibration = nullptr,
          .seed = {},
          .is_reference = false,
          .settings = {},
          .settings_sha256 = "",
          .change_key = "",
          .codes_key = ""};
}

// One stands for all where there are none.
template <typename Row>
std::vector<const Row*> rows_or_none(const std::vector<Row>& rows) {
  std::vector<const Row*> list;
  for (const Row& row : rows) list.push_back(&row);
  if (list.empty()) list.push_back(nullptr);
  return list;
}

// The calibrations that a method's cells differ by.
std::vector<const GridCalibration*> calibrations_of(const Grid& grid, const GridMethod* method) {
  if (method && method->method->needs_calibration()) return rows_or_none(grid.calibrations);
  return {method && grid.statistics ? &grid.calibrations.front() : nullptr};
}

std::vector<std::optional<uint64_t>> seeds_of(const Grid& grid, const GridMethod* method) {
  if (method && method->method->draws()) return {grid.seeds.begin(), grid.seeds.end()};
  return {std::nullopt};
}

void add_recipe(const Grid& grid, const GridModel& model, const GridRecipe& row, CellList& list) {
  for (const std::string* rule : rows_or_none(grid.scale_rules))
    for (const GridDatapath* datapath : rows_or_none(grid.datapaths))
      for (const GridMethod& method : grid.methods) {
        Cell cell = cell_of(model, row.name);
        cell.method = &method;
        if (rule) cell.scale_rule = *rule;
        if (datapath) cell.datapath = datapath->datapath;
        cell.recipe = recipe_of(row, cell.scale_rule, cell.datapath);
        if (!quantizes_weights(cell.recipe)) cell.method = nullptr;
        for (const GridCalibration* calibration : calibrations_of(grid, cell.method))
          for (const auto& seed : seeds_of(grid, cell.method)) {
            cell.calibration = calibration;
            cell.seed = seed;
            list.add(cell);
          }
      }
}

}  // namespace

std::string Cell::title() const {
  std::string title = model->name;
  for (const std::string& word : {method ? method->name : std::string(), recipe_name, scale_rule,
                                  datapath, calibration ? calibration->name : std::string()})
    if (!word.empty()) title += " " + word;
  if (seed) title += " seed " + std::to_string(*seed);
  return title;
}

bool Cell::same_but_method(const Cell& other) const {
  return model == other.model && recipe_name == other.recipe_name &&
         scale_rule == other.scale_rule && datapath == other.datapath;
}

std::vector<Cell> cells_of(const Grid& grid) {
  CellList list(grid);
  for (const GridModel& model : grid.models) {
    Cell reference = cell_of(model, "fp32");
    reference.recipe = parse_recipe("fp32");
    reference.is_reference = true;
    list.add(std::move(reference));
    for (const GridRecipe& row : grid.recipes) add_recipe(grid, model, row, list);
  }
  return list.take();
}

std::vector<size_t> work_order(const std::vector<Cell>& cells) {
  // Keys in the order in which the grid has them first.
  std::map<const GridModel*, size_t> models;
  std::map<std::string, size_t> changes, codes;
  for (size_t i = 0; i < cells.size(); ++i) {
    models.emplace(cells[i].model, i);
    changes.emplace(cells[i].change_key, i);
    codes.emplace(cells[i].codes_key, i);
  }
  std::vector<size_t> order(cells.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto rank = [&](size_t i) {
    const Cell& cell = cells[i];
    return std::tuple(models.at(cell.model), !cell.is_reference, changes.at(cell.change_key),
                      codes.at(cell.codes_key), i);
  };
  std::ranges::sort(order, {}, rank);
  return order;
}

}  // namespace mxref
