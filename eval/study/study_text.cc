#include "eval/study/study_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/report/result_rows.h"
#include "eval/study/bootstrap.h"
#include "eval/study/study_tables.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Cells = std::vector<std::string>;

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

std::string how_to_read(const ordered_json& record) {
  const auto any_row = [&](const char* field) {
    return std::ranges::any_of(record["results"],
                               [&](const ordered_json& row) { return row.contains(field); });
  };
  const auto any_group = [&](const auto& holds) {
    return std::ranges::any_of(groups_of(record), holds);
  };
  int64_t left_out = 0;
  for (const ordered_json& row : record["results"])
    if (row.contains("recovery"))
      left_out = std::max(left_out, row["recovery"].value("draws_left_out", int64_t(0)));

  std::string text = fmt::format(
      "nll is the mean negative log-likelihood of a token, in nats. A difference is that of the "
      "same windows or items; in brackets the interval that holds it with {:.0f} % ({} bootstrap "
      "draws of windows or items, seed {}). “≈” marks what is not distinguishable from fp32 (in "
      "the column of RTN: from RTN): its interval holds zero, or 100 % of a recovery. Each "
      "comparison stands by itself: of many that differ in nothing, {:.0f} % are marked as "
      "different all the same. An interval covers which windows or items were drawn, and nothing "
      "that all of them share: the signs of a rotation, the values that learning starts from, the "
      "samples of the calibration.",
      100 * record["confidence"].get<double>(), record["bootstrap_draws"].get<int64_t>(),
      record["seed"].dump(), 100 * (1 - record["confidence"].get<double>()));
  text += record["replicates"].empty()
              ? " The grid's “seeds” repeat methods that draw at random."
              : " Rows of several seeds show the least and the largest figure of a method that "
                "draws at random.";
  if (any_group([](const StudyGroup& group) { return group.noise; }))
    text += fmt::format(
        " Noise is the standard deviation of a figure (of accuracies in points) over {} more runs "
        "with the embeddings perturbed by a last rounding: of a difference below it nothing can be "
        "told, whatever its interval.",
        record["grid"]["noise"].dump());
  if (any_row("recovery"))
    text += " Recovery is the mean accuracy over the choice tasks, over that of fp32.";
  if (left_out > 0)
    text += fmt::format(
        " Up to {} draws in which fp32 has no hit, and recovery no value, are left out.", left_out);
  text += " Seconds are those of the cell, quantization included where it was not shared.";
  if (any_row("statistics"))
    text +=
        " Of blocks: kurtosis is 3 where elements are normal and large where few stand out; the "
        "crest factor is the largest magnitude of a block of 32 over its root mean square; the "
        "error is that of the recipe's conversion to nearest, its energy over that of the block. "
        "Means over the layers.";
  return text;
}

std::string resolution_note(const ordered_json& record) {
  return fmt::format(
      "Of each recipe and comparison: the least and the largest half-width of its cells' "
      "intervals, and the true difference that such a study tells from none with {:.0f} % "
      "({:.2f} half-widths; one of a single half-width is told every second time). What is "
      "smaller is not shown to be absent.",
      100 * record["power"].get<double>(), half_widths_of_power);
}

std::string study_markdown(const ordered_json& record) {
  std::string text = "# Study\n\n" + how_to_read(record) + "\n\n";
  for (const StudyGroup& group : groups_of(record))
    text += markdown(table_of(group)) + markdown(areas_of(group)) + markdown(statistics_of(group));
  text += "### How small a difference the data could show\n\n" + resolution_note(record) + "\n\n";
  for (const ordered_json& row : record["summary"]["resolution"])
    text += fmt::format("- {}\n", text_of(row["words"]));
  return text;
}

std::string study_csv(const ordered_json& record) {
  std::string text =
      "model,method,recipe,scale_rule,datapath,calibration,seed,task,metric,value,observations,"
      "difference,low,high,distinguishable,rtn_difference,rtn_low,rtn_high,rtn_distinguishable,"
      "noise,seconds,error\n";
  for (const ordered_json& row : record["results"]) {
    std::string head, tail;
    for (const char* field : {"model", "method", "recipe", "scale_rule", "datapath", "calibration"})
      head += csv_text(text_of(row[field])) + ",";
    head += csv_number(row, "seed") + ",";
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
