#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/report/fronts.h"
#include "eval/report/gnuplot.h"
#include "eval/report/page_sections.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view frame = R"gp(
set border 3 lc rgb '#5b6770' lw 0.8
set tics nomirror out scale 0.5 textcolor rgb '#1f2933'
set grid ytics lc rgb '#e3e6ea' lt 1 lw 0.6
set style line 1 lc rgb '#2f5d8a' pt 7 ps 0.9 lw 1.6
set style line 2 lc rgb '#c0762b' pt 5 ps 0.8 lw 1.6
set style line 3 lc rgb '#1b6e53' pt 9 ps 1.1 lw 1.6
set style line 4 lc rgb '#7a5a94' pt 13 ps 1.1 lw 1.6
set key above left horizontal Left reverse samplen 1.5 spacing 1.1 textcolor rgb '#1f2933'
set lmargin 8
)gp";

// The text of a tic is a format of numbers, too: %% is a per cent sign.
std::string tic_text(std::string text) {
  for (size_t i = 0; (i = text.find('%', i)) != std::string::npos; i += 2) text.insert(i, 1, '%');
  return gnuplot_text(text);
}

// Recipes stand at x = 0, 1, 2 …
std::string recipe_axis(const ordered_json& record) {
  std::string tics;
  size_t count = 0;
  for (const ordered_json& row : record["summary"]["accuracy"])
    tics += fmt::format("{}{} {}", count ? ", " : "", tic_text(row["recipe"]), count), ++count;
  return fmt::format("set xtics ({})\nset xrange [-0.5:{}]\n", tics, double(count) - 0.5);
}

double position_of(const ordered_json& record, std::string_view recipe) {
  double x = 0;
  for (const ordered_json& row : record["summary"]["accuracy"]) {
    if (row["recipe"] == recipe) return x;
    x += 1;
  }
  return NAN;
}

double number_or(const ordered_json& value, double otherwise) {
  return value.is_number() ? value.get<double>() : otherwise;
}

// A named block of points "x y error".
class Points {
 public:
  Points(std::string name, std::string title, int style)
      : name_(std::move(name)), title_(std::move(title)), style_(style) {}
  void add(double x, double y, double error) {
    if (std::isfinite(x) && std::isfinite(y))
      lines_ += fmt::format("{:.6f} {:.9g} {:.9g}\n", x, y, std::isfinite(error) ? error : 0);
  }
  bool empty() const { return lines_.empty(); }
  std::string data() const { return fmt::format("${} << EOD\n{}EOD\n", name_, lines_); }
  std::string bars() const {
    return fmt::format("${} using 1:2:3 with yerrorbars ls {} title {}", name_, style_,
                       gnuplot_text(title_));
  }
  std::string points() const {
    return fmt::format("${} using 1:2 with points ls {} title {}", name_, style_,
                       gnuplot_text(title_));
  }

 private:
  std::string name_, title_, lines_;
  int style_;
};

// Empty where no series has a point.
std::string script(const std::string& settings, const std::vector<Points>& series,
                   std::string (Points::*how)() const) {
  std::string data, plots;
  for (const Points& points : series) {
    if (points.empty()) continue;
    data += points.data();
    plots += (plots.empty() ? "plot " : ", ") + (points.*how)();
  }
  return plots.empty() ? "" : std::string(frame) + settings + data + plots + "\n";
}

// No plot of nothing: gnuplot would draw none.
std::string plot_where_any(const std::string& name, PlotSize size, const std::string& script) {
  return script.empty() ? "" : plot_svg(name, size, script);
}

}  // namespace

std::string plot_perplexity(const ordered_json& record) {
  Points points("ppl", "perplexity", 1);
  for (const ordered_json& row : record["results"])
    if (row["task"] == "perplexity")
      points.add(position_of(record, row["recipe"].get<std::string>()), number_or(row["ppl"], NAN),
                 number_or(row["ppl_stderr"], 0));
  return plot_where_any(
      "perplexity", {430, 280},
      script(recipe_axis(record) + "unset key\nset ylabel 'perplexity'\nset yrange [0:*]\n",
             {points}, &Points::bars));
}

std::string plot_accuracy(const ordered_json& record) {
  std::vector<Points> series;
  for (const ordered_json& row : record["results"]) {
    if (!row.contains("chosen") || row["recipe"] != "fp32") continue;
    const int index = int(series.size());
    series.emplace_back(fmt::format("task{}", index), row["task"].get<std::string>(), 1 + index);
    for (const ordered_json& cell : record["results"])
      if (cell["task"] == row["task"])
        series.back().add(
            position_of(record, cell["recipe"].get<std::string>()) + 0.12 * (index - 0.5),
            100 * cell["acc"].get<double>(), 100 * number_or(cell["stderr"], 0));
  }
  return plot_where_any("accuracy", {430, 280},
                        script(recipe_axis(record) + "set ylabel 'acc, %'\nset yrange [0:100]\n",
                               series, &Points::bars));
}

std::string plot_recovery(const ordered_json& record) {
  std::vector<Points> series{
      Points("own", record["model"]["name"].get<std::string>() + ", measured here", 1)};
  for (const ordered_json& row : record["summary"]["accuracy"])
    if (row["recipe"] != "fp32")
      series[0].add(position_of(record, row["recipe"].get<std::string>()) - 0.1,
                    number_or(row["recovery_percent"], NAN), number_or(row["recovery_stderr"], 0));
  std::string model;
  for (const ordered_json& cell : record["published"]) {
    if (cell["model"] != model) {
      model = cell["model"];
      series.emplace_back(fmt::format("published{}", series.size()), model + ", published",
                          2 + int(series.size() - 1));
    }
    series.back().add(
        position_of(record, cell["recipe"].get<std::string>()) + 0.06 * double(series.size() - 1),
        cell["recovery_percent"], 0);
  }
  const ordered_json& thresholds = record["summary"]["thresholds"];
  const std::string bands = fmt::format(
      "set object 1 rectangle from graph 0, first {0} to graph 1, first 100 fc rgb '#dcebe4' fs "
      "solid noborder behind\n"
      "set object 2 rectangle from graph 0, first {1} to graph 1, first {0} fc rgb '#f3ecd9' fs "
      "solid noborder behind\n",
      100 - thresholds["lossless_drop_percent"].get<double>(),
      100 - thresholds["risky_drop_percent"].get<double>());
  return plot_where_any("recovery", {500, 320},
                        script(recipe_axis(record) + bands +
                                   "set ylabel 'accuracy kept, %'\n"
                                   "set xrange [0.5:]\n",
                               series, &Points::bars));
}

// Of the axis of values from `low` to `high`: 3 to 8 steps of 1, 2 or 5 times a power of ten, all
// written with the digits of a step.
static std::string tics_of_steps(double low, double high) {
  if (!(high > low)) return "";
  const double least = (high - low) / 8;
  const double power = std::floor(std::log10(least)), unit = std::pow(10, power);
  const double step = least <= unit ? 1 : least <= 2 * unit ? 2 : least <= 5 * unit ? 5 : 10;
  return fmt::format("set ytics {:.0e}\nset format y '%.{}f'\n", step * unit,
                     std::max(0, int(-power) - (step == 10)));
}

std::string plot_drift(const ordered_json& record) {
  std::vector<Points> series;
  size_t windows = 0;
  double low = 0, high = 0;
  for (const ordered_json& row : record["results"]) {
    if (row["task"] != "drift") continue;
    const int index = int(series.size());
    series.emplace_back(fmt::format("drift{}", index), row["recipe"].get<std::string>(), 1 + index);
    for (size_t i = 0; i < row["difference"].size(); ++i) {
      const double difference = row["difference"][i];
      series.back().add(double(i + 1) + 0.1 * (index - 1), difference, 0);
      low = std::min(low, difference), high = std::max(high, difference);
    }
    windows = std::max(windows, row["difference"].size());
  }
  return plot_where_any(
      "drift", {500, 300},
      script(fmt::format("set xlabel 'window'\n{}set xrange [0.5:{}]\nset ylabel 'nats a token'\n"
                         "{}unset lmargin\nset xzeroaxis lc rgb '#5b6770' lt 1 lw 0.8\n",
                         windows <= 12 ? "set xtics 1\n" : "", double(windows) + 0.5,
                         tics_of_steps(low, high)),
             series, &Points::points));
}

namespace {

struct Mark {
  double x, y;
  size_t number;
};

// The number of each mark at its right; of marks that lie on one another the numbers stand in a
// row.
std::string numbers_of(const std::vector<Mark>& marks) {
  const auto [low, high] = std::minmax_element(
      marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.y < b.y; });
  const double height = marks.empty() ? 0 : high->y - low->y;
  std::string labels;
  std::vector<Mark> placed;
  for (const Mark& mark : marks) {
    const auto before = std::count_if(placed.begin(), placed.end(), [&](const Mark& other) {
      return mark.x / other.x < 1.06 && std::abs(mark.y - other.y) < 0.06 * height;
    });
    labels += fmt::format("set label '{}' at {:.4f},{:.9g} left offset {},0.5 font ',11'\n",
                          mark.number, mark.x, mark.y, 0.4 + 1.7 * double(before));
    placed.push_back(mark);
  }
  return labels;
}

}  // namespace

std::string plot_front(const Front& front, double FrontRow::*cost, const std::string& name) {
  std::vector<Mark> marks;
  for (size_t i = 0; i < front.rows.size(); ++i)
    if (std::isfinite(front.rows[i].perplexity))
      marks.push_back({front.rows[i].*cost / front.base().*cost, front.rows[i].perplexity, i + 1});
  std::sort(marks.begin(), marks.end(),
            [](const Mark& a, const Mark& b) { return std::pair(a.x, a.y) < std::pair(b.x, b.y); });
  std::string best, beaten;
  double least = INFINITY;  // perplexity of those that cost no more
  for (const Mark& mark : marks) {
    (mark.y < least ? best : beaten) += fmt::format("{:.4f} {:.9g}\n", mark.x, mark.y);
    least = std::min(least, mark.y);
  }
  const double middle = front.base().perplexity;
  const std::string band =
      std::isfinite(front.noise + middle)
          ? fmt::format(
                "set object 1 rectangle from graph 0, first {} to graph 1, first {} fc rgb "
                "'#dcebe4' fs solid noborder behind\n",
                middle - front.noise, middle + front.noise)
          : "";
  return plot_svg(
      name, {760, 340},
      std::string(frame) + numbers_of(marks) + band +
          fmt::format("$best << EOD\n{}EOD\n$beaten << EOD\n{}EOD\n", best, beaten) +
          "set logscale x 2\nset format x '%g'\nset xlabel 'ratio to fused'\n"
          "set ylabel 'perplexity'\nset lmargin 10\nset offsets graph 0.03, graph 0.05, graph "
          "0.05, graph 0.05\n"
          "unset key\nplot $best using 1:2 with steps lc rgb '#2f5d8a', $best using 1:2 with "
          "points "
          "ls 1, $beaten using 1:2 with points lc rgb '#5b6770' pt 6\n");
}

}  // namespace mxref
