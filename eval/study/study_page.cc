#include "eval/study/study_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/report/gnuplot.h"
#include "eval/report/html.h"
#include "eval/report/page_sections.h"
#include "eval/report/page_style.h"
#include "eval/report/result_rows.h"
#include "eval/study/study_tables.h"
#include "eval/study/study_text.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

struct Point {
  std::string label;
  double value, low, high;
};

// A line a point, the first on top; a vertical line where there is no difference.
std::string dot_plot(const std::string& name, const std::string& axis, double none,
                     const std::vector<Point>& points) {
  std::string data, tics;
  double least = none, most = none;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point& p = points[i];
    const double low = std::isfinite(p.low) ? p.low : p.value;
    const double high = std::isfinite(p.high) ? p.high : p.value;
    least = std::min(least, low), most = std::max(most, high);
    data += fmt::format("{} {:.9g} {:.9g} {:.9g}\n", i, p.value, low, high);
    std::string label;
    for (const char c : p.label) {
      label += c;
      if (c == '%') label += c;  // a label is a format of numbers, too
    }
    tics += fmt::format("{}{} {}", i ? ", " : "", gnuplot_text(label), i);
  }
  const double room = most > least ? 0.04 * (most - least) : 1;
  const int height = 80 + 22 * int(points.size());
  return plot_svg(
      name, {560, height},
      fmt::format(
          "set border 1 lc rgb '#5b6770' lw 0.8\n"
          "set tics nomirror out scale 0.5 textcolor rgb '#1f2933'\n"
          "set grid xtics lc rgb '#e3e6ea' lt 1 lw 0.6\n"
          "set ytics scale 0 ({})\nset yrange [{}:-0.7]\nset xlabel {}\n"
          "set xrange [{}:{}]\n"
          "set arrow from first {}, graph 0 to first {}, graph 1 nohead lc rgb '#5b6770' "
          "lw 1 dt 2\n"
          "unset key\n$points << EOD\n{}EOD\n"
          "plot $points using 2:1:3:4 with xerrorbars lc rgb '#2f5d8a' pt 7 ps 0.8 lw 1.6\n",
          tics, double(points.size()) - 0.3, gnuplot_text(axis), least - room, most + room, none,
          none, data));
}

Point point_of(std::string label, const ordered_json& of, double factor) {
  return {std::move(label), factor * number_or_nan(of["value"]), factor * number_or_nan(of["low"]),
          factor * number_or_nan(of["high"])};
}

// The increase of nll, or recovery, of each row of a group.
std::string plots_of(const StudyGroup& group, size_t place) {
  std::map<std::string, std::vector<Point>> increases;  // by task
  std::vector<Point> recoveries;
  for (const ordered_json* row : group.rows) {
    if (!row->contains("scores")) continue;
    const std::string label = label_of(group, *row);
    for (const ordered_json& score : (*row)["scores"])
      if (score["metric"] == "nll" && score.contains("difference") &&
          score["difference"]["value"].is_number())
        increases[score["task"]].push_back(point_of(label, score["difference"], 1));
    if (row->contains("recovery") && (*row)["recovery"]["value"].is_number())
      recoveries.push_back(point_of(label, (*row)["recovery"], 100));
  }
  const auto figure = [&](const std::string& svg, const std::string& what) {
    return html_figure(svg, escape_html(group.model + ", " + group.recipe + ": " + what));
  };
  std::string html;
  for (const auto& [task, points] : increases)
    html += figure(
        dot_plot(fmt::format("nll{}_{}", place, html.size()), "nats a token over fp32", 0, points),
        task + ": increase of nll over fp32, with its interval");
  if (!recoveries.empty())
    html += figure(
        dot_plot(fmt::format("recovery{}", place), "% of the accuracy of fp32", 100, recoveries),
        "accuracy kept, with its interval");
  return html;
}

// An interval stands below its figure; what cannot be told is soft.
std::string html_cell(const std::string& cell) {
  const size_t bracket = cell.find(" [");
  const std::string html = bracket == cell.npos
                               ? escape_html(cell)
                               : escape_html(cell.substr(0, bracket)) + "<br><small>" +
                                     escape_html(cell.substr(bracket + 1)) + "</small>";
  if (cell.starts_with("≈") || cell.starts_with("–"))
    return "<span class=\"soft\">" + html + "</span>";
  return cell.starts_with("failed") ? "<span class=\"bad\">" + html + "</span>" : html;
}

std::string html_of(const StudyTable& table) {
  if (table.rows.empty()) return "";
  std::vector<Column> columns;
  for (const StudyColumn& column : table.columns)
    columns.push_back(
        {escape_html(column.title), column.number ? Column::Kind::number : Column::Kind::word});
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    rows.emplace_back();
    for (const std::string& cell : row) rows.back().push_back(html_cell(cell));
  }
  return html_table(escape_html(table.caption), columns, rows);
}

// Of each group the smallest increase of nll in the first text, and that of RTN beside it.
std::string cards(const ordered_json& record) {
  std::string out;
  for (const StudyGroup& group : groups_of(record)) {
    const ordered_json *best = nullptr, *rtn = nullptr;
    for (const ordered_json* row : group.rows) {
      if (!row->contains("scores")) continue;
      const ordered_json& score = (*row)["scores"][0];
      if (score["metric"] != "nll" || !score.contains("difference") ||
          score["difference"]["value"].is_null())
        continue;
      if ((*row)["method"] == "rtn" && !rtn) rtn = &score["difference"];
      if (!best || score["difference"]["value"] < (*best)["scores"][0]["difference"]["value"])
        best = row;
    }
    if (!best) continue;
    const ordered_json& least = (*best)["scores"][0]["difference"];
    out += fmt::format(
        "<div><dt>{}: smallest increase of nll</dt><dd>{}{:+.4f} <small>{}{}</small></dd></div>\n",
        escape_html(group.model + ", " + group.recipe),
        least["distinguishable"].get<bool>() ? "" : "≈ ", least["value"].get<double>(),
        escape_html(label_of(group, *best)),
        rtn && rtn != &least ? fmt::format("; rtn {:+.4f}", (*rtn)["value"].get<double>()) : "");
  }
  return out.empty() ? "" : "<dl class=\"cards\">\n" + out + "</dl>\n";
}

std::string verdict(const ordered_json& record) {
  const ordered_json& summary = record["summary"];
  int64_t compared = 0, alike = 0;
  for (const ordered_json& row : record["results"])
    for (const ordered_json& score : row.value("scores", ordered_json::array()))
      if (score.contains("difference") && !score["difference"]["low"].is_null()) {
        ++compared;
        alike += !score["difference"]["distinguishable"].get<bool>();
      }
  const int64_t failed = summary["failed"];
  return fmt::format("{} cells{}; of {} comparisons with fp32, {} {} distinguishable.",
                     summary["cells"].get<int64_t>(),
                     failed ? fmt::format(", {} failed", failed) : "", compared, compared - alike,
                     compared - alike == 1 ? "is" : "are");
}

std::string about(const ordered_json& record) {
  const ordered_json& host = record["host"];
  std::string out;
  for (const ordered_json& model : record["models"])
    out += html_entry("model",
                      fmt::format("{}, {} parameters, sha256 {}", model["name"].get<std::string>(),
                                  model.contains("parameters") ? grouped(model["parameters"])
                                                               : std::string("unknown"),
                                  model["sha256"].get<std::string>()));
  out += html_entry("grid", "sha256 " + record["grid_sha256"].get<std::string>());
  out += html_entry(
      "machine", fmt::format("{}, {} cores, kernels {}, {} threads", host["cpu"].get<std::string>(),
                             host["cores"].get<int>(), host["isa"].get<std::string>(),
                             record["threads"].get<int>()));
  out += html_entry(
      "program", fmt::format("mxref {}, commit {}, seed {}", record["version"].get<std::string>(),
                             record["commit"].get<std::string>(), record["seed"].dump()));
  out += html_entry("run time", fmt::format("{:.0f} seconds, of all cells together",
                                            record["wall_seconds"].get<double>()));
  return out;
}

constexpr std::string_view skeleton = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mxref study</title>
<style>{style}</style>
</head>
<body><main>
<h1>mxref study: {models}</h1>
<p class="verdict{failed}">{verdict}</p>
{cards}<p class="note">{how}</p>
{sections}<h2>How small a difference the data could show</h2>
<p class="note">{resolution_note}</p>
<ul class="planted">{resolution}</ul>
<h2>About this study</h2>
<div class="meta"><dl>
{about}</dl>
<p>Every number of this page stands in study.json beside it, those of single windows and items in cells/.</p></div>
</main></body>
</html>
)html";

}  // namespace

std::string render_study_page(const ordered_json& record) {
  std::string sections, models, resolution;
  size_t place = 0;
  for (const StudyGroup& group : groups_of(record)) {
    ++place;
    sections += section(int(place), escape_html(group.model + ", " + group.recipe),
                        plots_of(group, place) + html_of(table_of(group)) +
                            html_of(areas_of(group)) + html_of(statistics_of(group)));
  }
  for (const ordered_json& model : record["models"])
    models += (models.empty() ? "" : ", ") + escape_html(model["name"].get<std::string>());
  for (const ordered_json& row : record["summary"]["resolution"])
    resolution += "<li>" + escape_html(row["words"].get<std::string>()) + "</li>\n";
  return fmt::format(
      fmt::runtime(skeleton), fmt::arg("style", page_style), fmt::arg("models", models),
      fmt::arg("failed", record["summary"]["failed"] == 0 ? "" : " failed"),
      fmt::arg("verdict", escape_html(verdict(record))), fmt::arg("cards", cards(record)),
      fmt::arg("how", escape_html(how_to_read(record))), fmt::arg("sections", sections),
      fmt::arg("resolution_note", escape_html(resolution_note(record))),
      fmt::arg("resolution", resolution), fmt::arg("about", about(record)));
}

}  // namespace mxref
