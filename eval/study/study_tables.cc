#include "eval/study/study_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Cells = std::vector<std::string>;

std::string text_of(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

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
}

Cells key_cells(const StudyGroup& group, const ordered_json& row) {
  Cells cells{row["reference"]          ? "fp32"
              : row["method"].is_null() ? "none: only the recipe"
                                        : text_of(row["method"])};
  if (group.scale_rules) cells.push_back(text_of(row["scale_rule"]));
  if (group.datapaths) cells.push_back(text_of(row["datapath"]));
  if (group.calibrations) cells.push_back(text_of(row["calibration"]));
  return cells;
}

void add_scores(const StudyGroup& group, const ordered_json& row, Cells& cells) {
  for (const ordered_json& task : scores_of(group)) {
    const ordered_json* score = score_of(row, task["task"]);
    const bool text = task["metric"] == "nll";
    cells.push_back(score ? number((*score)["value"], text ? 4 : 1, text ? 1 : 100) : "–");
    if (!text) continue;
    cells.push_back(score ? number((*score)["ppl"], 2) : "–");
    cells.push_back(score ? shown_difference(*score, "difference") : "–");
    cells.push_back(score ? shown_difference(*score, "against_rtn") : "–");
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

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string csv_number(const ordered_json& of, const char* field) {
  return of.contains(field) && !of[field].is_null() ? of[field].dump() : "";
}

std::string markdown(const StudyTable& table) {
  if (table.rows.empty()) return "";
  const auto line = [](const Cells& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) {
      text += ' ';
      for (const char c : cell) {
        if (c == '|') text += '\\';
        text += c;
      }
      text += " |";
    }
    return text + "\n";
  };
  Cells titles;
  std::string rule = "|";
  for (const StudyColumn& column : table.columns) {
    titles.push_back(column.title);
    rule += column.number ? "---:|" : "---|";
  }
  std::string text = "### " + table.caption + "\n\n" + line(titles) + rule + "\n";
  for (const Cells& row : table.rows) text += line(row);
  return text + "\n";
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
      groups.push_back({row["model"], row["recipe"], reference, {}});
      group = groups.end() - 1;
    }
    group->scale_rules = group->scale_rules || differs(*group, row, "scale_rule");
    group->datapaths = group->datapaths || differs(*group, row, "datapath");
    group->calibrations = group->calibrations || differs(*group, row, "calibration");
    group->rows.push_back(&row);
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
  }
  if (group.reference && group.reference->contains("accuracy")) {
    if (choice_tasks_of(group) > 1) table.columns.push_back({"mean accuracy, %"});
    table.columns.push_back({"recovery, %"});
  }
  table.columns.push_back({"seconds"});
  if (group.reference) table.rows.push_back(row_cells(group, *group.reference));
  for (const ordered_json* row : group.rows) table.rows.push_back(row_cells(group, *row));
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

std::string how_to_read(const ordered_json& record) {
  const bool statistics = std::ranges::any_of(
      record["results"], [](const ordered_json& row) { return row.contains("statistics"); });
  return fmt::format(
      "nll is the mean negative log-likelihood of a token, in nats. A difference is that of the "
      "same "
      "windows or items; in brackets the interval that holds it with {:.0f} % ({} bootstrap draws "
      "of "
      "windows or items, seed {}). “≈” marks what is not distinguishable from fp32 (in the column "
      "of "
      "RTN: from RTN): its interval holds zero, or 100 % of a recovery. Recovery is the mean "
      "accuracy over the choice tasks, over that of fp32. Seconds are those of the cell, "
      "quantization "
      "included.{}",
      100 * record["confidence"].get<double>(), record["bootstrap_draws"].get<int64_t>(),
      record["seed"].dump(),
      statistics
          ? " Of blocks: kurtosis is 3 where elements are normal and large where few stand "
            "out; the crest factor is the largest magnitude of a block of 32 over its root "
            "mean square; the error is that of the recipe's conversion to nearest, its energy "
            "over that of the block. Means over the layers."
          : "");
}

std::string study_markdown(const ordered_json& record) {
  std::string text = "# Study\n\n" + how_to_read(record) + "\n\n";
  for (const StudyGroup& group : groups_of(record))
    text += markdown(table_of(group)) + markdown(areas_of(group)) + markdown(statistics_of(group));
  text += "### How small a difference the data could show\n\n";
  for (const ordered_json& row : record["summary"]["resolution"])
    text += fmt::format("- {}\n", text_of(row["words"]));
  return text;
}

std::string study_csv(const ordered_json& record) {
  std::string text =
      "model,method,recipe,scale_rule,datapath,calibration,task,metric,value,observations,"
      "difference,low,high,distinguishable,rtn_difference,rtn_low,rtn_high,rtn_distinguishable,"
      "noise,seconds,error\n";
  for (const ordered_json& row : record["results"]) {
    std::string head, tail;
    for (const char* field : {"model", "method", "recipe", "scale_rule", "datapath", "calibration"})
      head += csv_text(text_of(row[field])) + ",";
    tail = row.contains("seconds") ? csv_number(row["seconds"], "all") : "";
    tail += ',';
    if (row.contains("error")) tail += csv_text(text_of(row["error"]));
    tail += '\n';
    if (!row.contains("scores")) text += head + std::string(13, ',') + tail;
    for (const ordered_json& score : row.value("scores", ordered_json::array())) {
      text += head + csv_text(text_of(score["task"])) + "," + text_of(score["metric"]) + "," +
              csv_number(score, "value") + "," + csv_number(score, "observations") + ",";
      for (const char* of : {"difference", "against_rtn"})
        for (const char* field : {"value", "low", "high", "distinguishable"})
          text += (score.contains(of) ? csv_number(score[of], field) : "") + ",";
      text += csv_number(score, "noise") + "," + tail;
    }
  }
  return text;
}

}  // namespace mxref
