#include "eval/study/study_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/report/result_rows.h"
#include "eval/study/bootstrap.h"
#include "eval/tasks/standard_deviation.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// ---- how small a difference the data could show

// "0.0012 to 0.016", or one figure where both are shown alike.
std::string shown_range(const ordered_json& range, bool text) {
  const auto shown = [&](const char* field) {
    const double x = range[field];
    return text ? fmt::format("{:.2g}", x) : fmt::format("{:.1f}", 100 * x);
  };
  const std::string least = shown("least"), most = shown("most");
  return least == most ? least : least + " to " + most;
}

std::string resolution_words(const ordered_json& row) {
  const bool text = row["metric"] == "nll", recovery = row["metric"] == "recovery";
  const std::string what = row["of"] == "against_rtn" ? "difference to RTN"
                           : recovery                 ? "recovery"
                                                      : "difference to fp32";
  const std::string where = recovery ? "choice tasks" : row["task"].get<std::string>();
  const int64_t cells = row["cells"];
  return fmt::format(
      "{}, {}: {} in {} ({} {}, {} {}): half-widths {} {}; told from none with {:.0f} % where it "
      "is "
      "{} or more",
      row["model"].get<std::string>(), row["recipe"].get<std::string>(), what, where,
      row["observations"].get<int64_t>(), text ? "windows" : "items", cells,
      cells == 1 ? "cell" : "cells", shown_range(row["half_width"], text),
      text       ? "nats a token"
      : recovery ? "% of fp32"
                 : "points of accuracy",
      100 * detection_power, shown_range(row["detectable"], text));
}

class Resolution {
 public:
  // The half-width of an interval of one comparison of a row's cell; none where it has no interval.
  void add(const ordered_json& row, const ordered_json& task, const ordered_json& metric,
           const char* of, int64_t observations, const ordered_json& interval) {
    if (interval["low"].is_null()) return;
    const double width = (interval["high"].get<double>() - interval["low"].get<double>()) / 2;
    auto same = std::ranges::find_if(rows_, [&](const ordered_json& r) {
      return r["model"] == row["model"] && r["recipe"] == row["recipe"] && r["task"] == task &&
             r["of"] == of;
    });
    if (same == rows_.end()) {
      rows_.push_back({{"model", row["model"]},
                       {"recipe", row["recipe"]},
                       {"task", task},
                       {"metric", metric},
                       {"of", of},
                       {"observations", observations},
                       {"cells", 0},
                       {"half_width", {{"least", width}, {"most", width}}}});
      same = rows_.end() - 1;
    }
    ordered_json& widths = (*same)["half_width"];
    widths["least"] = std::min(widths["least"].get<double>(), width);
    widths["most"] = std::max(widths["most"].get<double>(), width);
    (*same)["cells"] = (*same)["cells"].get<int64_t>() + 1;
  }
  ordered_json take() {
    for (ordered_json& row : rows_) {
      for (const char* end : {"least", "most"})
        row["detectable"][end] = half_widths_of_power * row["half_width"][end].get<double>();
      row["words"] = resolution_words(row);
    }
    return std::move(rows_);
  }

 private:
  ordered_json rows_ = ordered_json::array();
};

// ---- cells that differ in their seed

ordered_json spread_of(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  double mean = 0;
  for (const double x : values) mean += x / double(values.size());
  return {{"least", least},
          {"most", most},
          {"mean", mean},
          {"sd", number_or_null(standard_deviation(values))}};
}

// The spread of what figure(row) is of the rows; nothing where one of them has none.
template <typename Figure>
void add_spread(ordered_json& to, const char* field, const std::vector<const ordered_json*>& rows,
                const Figure& figure) {
  std::vector<double> values;
  for (const ordered_json* row : rows) values.push_back(figure(*row));
  if (std::ranges::all_of(values, [](double x) { return std::isfinite(x); }))
    to[field] = spread_of(values);
}

double value_in(const ordered_json& row, const char* field) {
  return row.contains(field) ? number_or_nan(row[field]["value"]) : NAN;
}

constexpr const char* replicate_keys[] = {"model",      "method",   "recipe",
                                          "scale_rule", "datapath", "calibration"};

ordered_json replicate_of(const std::vector<const ordered_json*>& rows) {
  ordered_json result;
  for (const char* field : replicate_keys) result[field] = (*rows.front())[field];
  for (const ordered_json* row : rows) {
    result["seeds"].push_back((*row)["seed"]);
    result["cells"].push_back((*row)["cell"]);
  }
  for (size_t t = 0; t < (*rows.front())["scores"].size(); ++t) {
    const ordered_json& first = (*rows.front())["scores"][t];
    ordered_json score = {{"task", first["task"]}, {"metric", first["metric"]}};
    for (const char* field : {"value", "ppl"})
      add_spread(score, field, rows,
                 [&](const ordered_json& row) { return number_of(row["scores"][t], field); });
    for (const char* field : {"difference", "against_rtn"})
      add_spread(score, field, rows,
                 [&](const ordered_json& row) { return value_in(row["scores"][t], field); });
    result["scores"].push_back(std::move(score));
  }
  add_spread(result, "accuracy", rows,
             [](const ordered_json& row) { return number_of(row, "accuracy"); });
  add_spread(result, "recovery", rows,
             [](const ordered_json& row) { return value_in(row, "recovery"); });
  return result;
}

}  // namespace

ordered_json study_summary(const ordered_json& rows) {
  Resolution resolution;
  int64_t failed = 0;
  for (const ordered_json& row : rows) {
    failed += row.contains("error");
    int64_t items = 0;
    for (const ordered_json& score : row.value("scores", ordered_json::array())) {
      const int64_t observations = score["observations"];
      if (score["metric"] == "acc") items += observations;
      for (const char* of : {"difference", "against_rtn"})
        if (score.contains(of))
          resolution.add(row, score["task"], score["metric"], of, observations, score[of]);
    }
    if (row.contains("recovery"))
      resolution.add(row, nullptr, "recovery", "recovery", items, row["recovery"]);
  }
  return {{"cells", rows.size()}, {"failed", failed}, {"resolution", resolution.take()}};
}

ordered_json study_replicates(const ordered_json& rows) {
  std::vector<std::vector<const ordered_json*>> sets;
  for (const ordered_json& row : rows) {
    if (row["seed"].is_null() || !row.contains("scores")) continue;
    const auto same = std::ranges::find_if(sets, [&](const auto& set) {
      return std::ranges::all_of(
          replicate_keys, [&](const char* field) { return (*set.front())[field] == row[field]; });
    });
    if (same != sets.end())
      same->push_back(&row);
    else
      sets.push_back({&row});
  }
  ordered_json result = ordered_json::array();
  for (const auto& set : sets)
    if (set.size() > 1) result.push_back(replicate_of(set));
  return result;
}

}  // namespace mxref
