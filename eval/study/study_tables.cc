#include "eval/study/study_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Cells = std::vector<std::string>;

std::string number(const ordered_json& value, int digits, double factor = 1) {
  return value.is_number() ? fmt::format("{:.{}f}", factor * value.get<double>(), digits) : "–";
}

// "+0.0123 [+0.0101, +0.0145]", with "≈" in front where nothing can be told.
std::string shown_interval(const ordered_json& of, int digits, double factor, bool sign) {
  const auto one = [&](const char* field) {
    if (!of[field].is_number()) return std::string("–");
    return sign ? fmt::format("{:+.{}f}", factor * of[field].get<double>(), digits)
                : fmt::format("{:.{}f}", factor * of[field].get<double>(), digits);
  };
  if (of["low"].is_null()) return one("value");
  return fmt::format("{}{} [{}, {}]", of["distinguishable"].get<bool>() ? "" : "≈ ", one("value"),
                     one("low"), one("high"));
}

std::string shown_difference(const ordered_json& score, const char* field) {
  if (!score.contains(field)) return "";
  return score["metric"] == "nll" ? shown_interval(score[field], 4, 1, true)
                                  : shown_interval(score[field], 1, 100, true);
}

// "0.0123 … 0.0145", of a figure over the seeds.
std::string shown_spread(const ordered_json& of, const char* field, int digits, double factor,
                         bool sign) {
  if (!of.contains(field)) return "";
  const auto one = [&](const char* end) {
    const double x = factor * of[field][end].get<double>();
    return sign ? fmt::format("{:+.{}f}", x, digits) : fmt::format("{:.{}f}", x, digits);
  };
  return one("least") + " … " + one("most");
}

// Two digits, in points where it is one of accuracies.
std::string shown_noise(const ordered_json& score) {
  const double noise = number_of(score, "noise");
  if (std::isnan(noise)) return "";
  return fmt::format("{:.2g}", score["metric"] == "nll" ? noise : 100 * noise);
}

const ordered_json* score_of(const ordered_json& row, const std::string& task) {
  if (row.contains("scores"))
    for (const ordered_json& score : row["scores"])
      if (score["task"] == task) return &score;
  return nullptr;
}

// The scores of any row that has them: which tasks there are.
const ordered_json& scores_of(const StudyGroup& group) {
  static const ordered_json none = ordered_json::array();
  if (group.reference && group.reference->contains("scores")) return (*group.reference)["scores"];
  for (const ordered_json* row : group.rows)
    if (row->contains("scores")) return (*row)["scores"];
  return none;
}

int64_t choice_tasks_of(const StudyGroup& group) {
  return std::ranges::count_if(scores_of(group),
                               [](const ordered_json& task) { return task["metric"] == "acc"; });
}

void add_key_columns(const StudyGroup& group, std::vector<StudyColumn>& columns) {
  columns.push_back({"method", false});
  if (group.scale_rules) columns.push_back({"scale rule", false});
  if (group.datapaths) columns.push_back({"datapath", false});
  if (group.calibrations) columns.push_back({"calibration", false});
  if (group.seeds) columns.push_back({"seed", false});
}

Cells key_cells(const StudyGroup& group, const ordered_json& row) {
  Cells cells{row["reference"]          ? "fp32"
              : row["method"].is_null() ? "none: only the recipe"
                                        : text_of(row["method"])};
  if (group.scale_rules) cells.push_back(text_of(row["scale_rule"]));
  if (group.datapaths) cells.push_back(text_of(row["datapath"]));
  if (group.calibrations) cells.push_back(text_of(row["calibration"]));
  if (group.seeds) cells.push_back(row["seed"].is_null() ? "" : row["seed"].dump());
  return cells;
}

void add_scores(const StudyGroup& group, const ordered_json& row, Cells& cells) {
  for (const ordered_json& task : scores_of(group)) {
    const ordered_json* score = score_of(row, task["task"]);
    const bool text = task["metric"] == "nll";
    cells.push_back(score ? number((*score)["value"], text ? 4 : 1, text ? 1 : 100) : "–");
    if (text) {
      cells.push_back(score ? number((*score)["ppl"], 2) : "–");
      cells.push_back(score ? shown_difference(*score, "difference") : "–");
      cells.push_back(score ? shown_difference(*score, "against_rtn") : "–");
    }
    if (group.noise) cells.push_back(score ? shown_noise(*score) : "–");
  }
  if (group.reference && group.reference->contains("accuracy")) {
    if (choice_tasks_of(group) > 1)
      cells.push_back(row.contains("accuracy") ? number(row["accuracy"], 1, 100) : "–");
    cells.push_back(row.contains("recovery") ? shown_interval(row["recovery"], 1, 100, false) : "");
  }
}

Cells row_cells(const StudyGroup& group, const ordered_json& row) {
  Cells cells = key_cells(group, row);
  add_scores(group, row, cells);
  cells.push_back(row.contains("error") ? "failed: " + text_of(row["error"])
                                        : number(row["seconds"]["all"], 0));
  return cells;
}

// The spread of cells that differ in their seed, in the columns of one of them, `row`.
Cells spread_cells(const StudyGroup& group, const ordered_json& row, const ordered_json& spread) {
  Cells cells = key_cells(group, row);
  cells.back() = fmt::format("{} seeds", spread["seeds"].size());
  for (const ordered_json& score : spread["scores"]) {
    const bool text = score["metric"] == "nll";
    cells.push_back(shown_spread(score, "value", text ? 4 : 1, text ? 1 : 100, false));
    if (text) {
      cells.push_back(shown_spread(score, "ppl", 2, 1, false));
      cells.push_back(shown_spread(score, "difference", 4, 1, true));
      cells.push_back(shown_spread(score, "against_rtn", 4, 1, true));
    }
    if (group.noise) cells.push_back("");
  }
  if (group.reference && group.reference->contains("accuracy")) {
    if (choice_tasks_of(group) > 1)
      cells.push_back(shown_spread(spread, "accuracy", 1, 100, false));
    cells.push_back(shown_spread(spread, "recovery", 1, 100, false));
  }
  cells.push_back("");
  return cells;
}

// The row itself, and behind the last one of a spread that spread.
void add_rows(const StudyGroup& group, const ordered_json& row, std::vector<Cells>& rows) {
  rows.push_back(row_cells(group, row));
  for (const ordered_json* spread : group.replicates)
    if ((*spread)["cells"].back() == row["cell"]) rows.push_back(spread_cells(group, row, *spread));
}

}  // namespace

std::vector<StudyGroup> groups_of(const ordered_json& record) {
  std::vector<StudyGroup> groups;
  const auto differs = [](StudyGroup& group, const ordered_json& row, const char* field) {
    return !row[field].is_null() && std::ranges::any_of(group.rows, [&](const ordered_json* other) {
      return !(*other)[field].is_null() && (*other)[field] != row[field];
    });
  };
  const ordered_json* reference = nullptr;
  for (const ordered_json& row : record["results"]) {
    if (row["reference"]) {
      reference = &row;
      continue;
    }
    auto group = std::ranges::find_if(groups, [&](const StudyGroup& g) {
      return g.model == row["model"] && g.recipe == row["recipe"];
    });
    if (group == groups.end()) {
      groups.push_back({row["model"], row["recipe"], reference, {}, {}});
      group = groups.end() - 1;
    }
    group->scale_rules = group->scale_rules || differs(*group, row, "scale_rule");
    group->datapaths = group->datapaths || differs(*group, row, "datapath");
    group->calibrations = group->calibrations || differs(*group, row, "calibration");
    group->seeds = group->seeds || differs(*group, row, "seed");
    group->rows.push_back(&row);
  }
  for (StudyGroup& group : groups) {
    group.noise =
        std::ranges::any_of(scores_of(group), [](auto& score) { return score.contains("noise"); });
    for (const ordered_json& spread : record["replicates"])
      if (spread["model"] == group.model && spread["recipe"] == group.recipe)
        group.replicates.push_back(&spread);
  }
  return groups;
}

std::string label_of(const StudyGroup& group, const ordered_json& row) {
  std::string label;
  for (const std::string& cell : key_cells(group, row))
    if (!cell.empty()) label += (label.empty() ? "" : ", ") + cell;
  return label;
}

StudyTable table_of(const StudyGroup& group) {
  StudyTable table{group.model + ", " + group.recipe, {}, {}};
  add_key_columns(group, table.columns);
  for (const ordered_json& task : scores_of(group)) {
    const std::string name = task["task"];
    if (task["metric"] == "nll") {
      for (const char* title : {"nll", "ppl", "nll − fp32", "nll − RTN"})
        table.columns.push_back({name == "perplexity" ? title : name + ": " + title});
    } else {
      table.columns.push_back({name + ", %"});
    }
    if (group.noise) table.columns.push_back({name == "perplexity" ? "noise" : name + ": noise"});
  }
  if (group.reference && group.reference->contains("accuracy")) {
    if (choice_tasks_of(group) > 1) table.columns.push_back({"mean accuracy, %"});
    table.columns.push_back({"recovery, %"});
  }
  table.columns.push_back({"seconds"});
  if (group.reference) table.rows.push_back(row_cells(group, *group.reference));
  for (const ordered_json* row : group.rows) add_rows(group, *row, table.rows);
  return table;
}

StudyTable statistics_of(const StudyGroup& group) {
  StudyTable table{
      group.model + ", " + group.recipe + ": blocks of the unchanged model, and behind each change",
      {},
      {}};
  table.columns.push_back({"of", false});
  table.columns.push_back({"method", false});
  for (const char* title : {"kurtosis", "kurtosis, largest layer's", "crest factor", "error, %"})
    table.columns.push_back({title});
  // Who changes nothing, or what another one has changed, has no rows of its own.
  std::vector<std::pair<std::string, const ordered_json*>> sides;
  const auto add = [&](const std::string& name, const ordered_json& side) {
    if (std::ranges::none_of(sides, [&](const auto& other) { return *other.second == side; }))
      sides.emplace_back(name, &side);
  };
  for (const ordered_json* row : group.rows) {
    if (!row->contains("statistics")) continue;
    add("unchanged", (*row)["statistics"]["before"]);
    add(label_of(group, *row), (*row)["statistics"]["after"]);
  }
  if (sides.empty()) return table;
  for (const char* part : {"inputs", "weights"})
    for (size_t i = 0; i < (*sides.front().second)[part].size(); ++i)
      for (const auto& [name, side] : sides) {
        const ordered_json& row = (*side)[part][i];
        table.rows.push_back(
            {(part == std::string("inputs") ? "input of " : "weights of ") + text_of(row["place"]),
             name, number(row["kurtosis"], 1), number(row["kurtosis_largest"], 1),
             number(row["crest"], 2), number(row["error"], 3, 100)});
      }
  return table;
}

StudyTable areas_of(const StudyGroup& group) {
  StudyTable table{group.model + ", " + group.recipe + ": accuracy beside area", {}, {}};
  table.columns.push_back({"datapath", false});
  table.columns.push_back({"method", false});
  for (const char* title :
       {"area of an element, µm²", "ratio to fused", "clock, MHz", "pJ a product"})
    table.columns.push_back({title});
  const ordered_json& tasks = scores_of(group);
  for (const ordered_json& task : tasks)
    table.columns.push_back({task["task"].get<std::string>() +
                             (task["metric"] == "nll" ? ": nll − fp32" : ": points − fp32")});
  double fused = NAN;
  for (const ordered_json* row : group.rows)
    if (row->contains("area_um2") && (*row)["datapath"] == "fused") fused = (*row)["area_um2"];
  bool any = false;
  for (const ordered_json* row : group.rows) {
    any = any || row->contains("area_um2");
    const double area = number_of(*row, "area_um2");
    Cells cells{text_of((*row)["datapath"]), text_of((*row)["method"]),
                std::isnan(area) ? "–" : fmt::format("{:.0f}", area),
                std::isnan(area / fused) ? "–" : fmt::format("{:.2f}", area / fused)};
    for (const auto& [field, digits] : {std::pair{"mhz", 1}, std::pair{"pj_per_mac", 1}})
      cells.push_back(row->contains(field) ? number((*row)[field], digits) : "–");
    for (const ordered_json& task : tasks) {
      const ordered_json* score = score_of(*row, task["task"]);
      cells.push_back(score ? shown_difference(*score, "difference") : "–");
    }
    table.rows.push_back(std::move(cells));
  }
  if (!any) table.rows.clear();
  return table;
}

}  // namespace mxref
