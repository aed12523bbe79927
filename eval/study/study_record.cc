#include "eval/study/study_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "eval/report/record.h"
#include "eval/report/result_rows.h"
#include "eval/study/bootstrap.h"
#include "eval/study/study_summary.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// What a result of a task says, window by window or item by item.
Observations observations_of(const ordered_json& result) {
  Observations o;
  if (result.contains("nll_sums")) {
    for (const ordered_json& sum : result["nll_sums"]) o.sums.push_back(number_or_nan(sum));
    o.weights = result["scored"].get<std::vector<double>>();
  } else {
    for (size_t i = 0; i < result["chosen"].size(); ++i)
      o.sums.push_back(result["chosen"][i] == result["gold"][i]);
    o.weights.assign(o.sums.size(), 1);
  }
  return o;
}

ordered_json to_json(const Interval& interval, double none) {
  ordered_json row = {{"value", number_or_null(interval.value)},
                      {"low", number_or_null(interval.low)},
                      {"high", number_or_null(interval.high)},
                      {"distinguishable", std::isfinite(interval.low) && !interval.holds(none)}};
  if (interval.left_out > 0) row["draws_left_out"] = interval.left_out;
  return row;
}

// Results stand in the order of the grid's tasks, which the hash of a cell's settings fixes; what
// the tasks are called it does not.
const ordered_json* result_of(const ordered_json* record, size_t task) {
  return record && !record->contains("error") ? &(*record)["results"][task] : nullptr;
}

struct Compared {
  const ordered_json *own, *reference, *rtn;  // records; null where there is none
  uint64_t seed;
};

ordered_json score(const Compared& c, const Grid& grid, size_t task) {
  const ordered_json& result = *result_of(c.own, task);
  const bool text = result.contains("nll");
  const char* metric = text ? "nll" : "acc";
  const Observations own = observations_of(result);
  ordered_json row = {{"task", grid.tasks[task].name},
                      {"metric", metric},
                      {"value", result[metric]},
                      {"observations", own.sums.size()}};
  for (const char* more : {"ppl", "acc_norm", "chance", "file", "form", "logits_sha256"})
    if (result.contains(more)) row[more] = result[more];
  if (const double noise = noise_of(result, metric); std::isfinite(noise)) row["noise"] = noise;
  for (const auto& [field, other] :
       {std::pair{"difference", c.reference}, std::pair{"against_rtn", c.rtn}})
    if (const ordered_json* base = result_of(other, task); base && other != c.own)
      row[field] = to_json(paired_difference(own, observations_of(*base), c.seed), 0);
  return row;
}

// Mean accuracy and recovery, where there are choice tasks.
void add_recovery(ordered_json& row, const Compared& c, const Grid& grid) {
  std::vector<Observations> own, base;
  for (size_t task = 0; task < grid.tasks.size(); ++task) {
    const ordered_json* result = result_of(c.own, task);
    if (!result || !result->contains("chosen")) continue;
    own.push_back(observations_of(*result));
    if (const ordered_json* other = result_of(c.reference, task))
      base.push_back(observations_of(*other));
  }
  if (own.empty()) return;
  double sum = 0;
  for (const Observations& o : own) sum += o.mean();
  row["accuracy"] = sum / double(own.size());
  if (base.size() == own.size() && c.own != c.reference)
    row["recovery"] = to_json(paired_ratio(own, base, c.seed), 1);
}

// Of one element of the array (a "pe" of the tables of area) with these formats, in either order.
std::optional<ordered_json> area_of(const ordered_json& area, const Cell& cell) {
  const Recipe& recipe = cell.recipe;
  if (!area.is_object() || !has_datapath(recipe)) return std::nullopt;
  const std::set<std::string> formats{recipe.weights.format, recipe.activations.format};
  for (const auto& [name, row] : area["rows"].items())
    if (name.starts_with("pe ") && row["datapath"] == recipe.datapath && row["design"] == "pe" &&
        std::set<std::string>{row["format_a"], row["format_b"]} == formats)
      return row;
  return std::nullopt;
}

void add_area(ordered_json& row, const Grid& grid, const Cell& cell, const ordered_json& area) {
  if (grid.datapaths.size() < 2) return;
  const auto found = area_of(area, cell);
  if (!found) return;
  row["area_um2"] = (*found)["area_um2"];
  row["mhz"] = (*found)["mhz"];
  if (found->contains("energy")) row["pj_per_mac"] = (*found)["energy"]["pj_per_mac"]["total"];
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json head_of(const Cell& cell) {
  return {{"task", "cell"},
          {"cell", cell.name},
          {"model", cell.model->name},
          {"reference", cell.is_reference},
          {"method", cell.method ? ordered_json(cell.method->name) : ordered_json(nullptr)},
          {"recipe", cell.recipe_name},
          {"scale_rule", text_or_null(cell.scale_rule)},
          {"datapath", text_or_null(cell.datapath)},
          {"calibration",
           cell.calibration ? ordered_json(cell.calibration->name) : ordered_json(nullptr)},
          {"seed", cell.seed ? ordered_json(*cell.seed) : ordered_json(nullptr)},
          {"settings_sha256", cell.settings_sha256}};
}

}  // namespace

ordered_json study_rows(const Grid& grid, const std::vector<Cell>& cells,
                        const std::vector<ordered_json>& records, const ordered_json& area) {
  ordered_json rows = ordered_json::array();
  for (size_t i = 0; i < cells.size(); ++i) {
    Compared c{&records[i], nullptr, nullptr, grid.seed};
    for (size_t j = 0; j < cells.size(); ++j) {
      if (cells[j].model != cells[i].model) continue;
      if (cells[j].is_reference) c.reference = &records[j];
      if (cells[i].method && cells[j].method && cells[j].method->method->name == "rtn" &&
          cells[j].same_but_method(cells[i]))
        c.rtn = &records[j];
    }
    ordered_json row = head_of(cells[i]);
    add_area(row, grid, cells[i], area);
    if (records[i].contains("error")) {
      row["error"] = records[i]["error"];
    } else {
      for (size_t t = 0; t < grid.tasks.size(); ++t) row["scores"].push_back(score(c, grid, t));
      add_recovery(row, c, grid);
      if (records[i].contains("statistics")) row["statistics"] = records[i]["statistics"];
      row["seconds"] = records[i]["seconds"];
    }
    row["peak_memory_bytes"] = records[i]["peak_memory_bytes"];
    rows.push_back(std::move(row));
  }
  return rows;
}

ordered_json study_record(const Grid& grid, const std::vector<Cell>& cells,
                          const std::vector<ordered_json>& records, const ordered_json& area) {
  Record head("study");
  head.set_seed(grid.seed);
  ordered_json models = ordered_json::array();
  for (const GridModel& model : grid.models) {
    models.push_back({{"name", model.name}, {"sha256", model.sha256}});
    for (size_t i = 0; i < cells.size(); ++i)
      if (cells[i].model == &model && records[i].contains("parameters"))
        models.back()["parameters"] = records[i]["parameters"];
  }
  double seconds = 0;
  std::set<std::string> commits;
  for (const ordered_json& record : records) {
    seconds += record["wall_seconds"].get<double>();
    commits.insert(record["commit"].get<std::string>());
  }
  ordered_json rows = study_rows(grid, cells, records, area);
  ordered_json record = {{"schema", "mxref/1"}};
  record.update(head.facts());
  record["cells_commits"] = commits;
  record["grid"] = grid.file;
  record["grid_sha256"] = grid.file_sha256;
  record["models"] = models;
  record["wall_seconds"] = seconds;  // of the cells together, so that the record stays the same
  record["confidence"] = confidence;
  record["bootstrap_draws"] = bootstrap_draws;
  if (area.is_object() && grid.datapaths.size() > 1) record["library"] = area["library"];
  record["power"] = detection_power;
  record["summary"] = study_summary(rows);
  record["replicates"] = study_replicates(rows);
  record["results"] = std::move(rows);
  return record;
}

}  // namespace mxref
