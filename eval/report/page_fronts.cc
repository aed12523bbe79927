// What datapaths cost beside what a model loses on them: rtl_models/synth/fronts.json, which is
// kept with the sources.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/report/fronts.h"
#include "eval/report/html.h"
#include "eval/report/page_sections.h"
#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view fronts_text = R"html(
<p>Elements of the array, one for each datapath, as netlists of standard cells ({}): area, highest clock, and
energy of a product, counted on operands of {}. Beside them the perplexity of that model over {} tokens of {};
in binary32 it is {:.3f}. These figures were made once and are kept with the sources: they are not of this run.
<code>aligned_F_R</code>: sums of 4 products, 8 of them and the accumulator aligned to the largest exponent,
F bits kept below it, rounded by R. A hollow point costs more than another one and is no more accurate.
The band is what perplexity on <code>fused</code> moves by, one standard deviation, where embeddings and
residual sums are perturbed by a relative 2^-22: datapaths within it are as accurate as one another.</p>
<p><b>Not covered:</b> layout, wires and the clock tree, which come on top; the decoders and the control of an array, which all
datapaths share; and the process is an old one of 0.18 µm. Read the ratios.</p>
)html";

std::vector<std::string> cells_of(const Front& front, size_t i, double fp32) {
  const FrontRow &row = front.rows[i], &base = front.base();
  const auto ratio = [&](double FrontRow::*of) {
    return fmt::format("{:.2f}", row.*of / base.*of);
  };
  return {std::to_string(i + 1),
          escape_html(row.datapath),
          fmt::format("{:.0f}", row.products),
          ratio(&FrontRow::area),
          ratio(&FrontRow::area_per_product),
          ratio(&FrontRow::clock),
          ratio(&FrontRow::energy),
          fmt::format("{:.3f}", row.perplexity),
          fmt::format("{:+.4f}", row.nll - fp32),
          grouped(int64_t(row.area)),
          fmt::format("{:.1f}", row.clock),
          fmt::format("{:.1f}", row.energy)};
}

std::string table_of(const Front& front, double fp32) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < front.rows.size(); ++i) rows.push_back(cells_of(front, i, fp32));
  return html_table(
      fmt::format("{}, {} × {}: area to energy are ratios to fused; noise of its perplexity {:.2g}",
                  escape_html(front.recipe), escape_html(front.format), escape_html(front.format),
                  front.noise),
      {{""},
       {"datapath"},
       {"products a cycle", number},
       {"area", number},
       {"area of a product a cycle", number},
       {"clock", number},
       {"energy", number},
       {"perplexity", number},
       {"nll over fp32", number},
       {"µm²", number},
       {"MHz", number},
       {"pJ a product", number}},
      rows);
}

}  // namespace

const FrontRow& Front::base() const {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [](const FrontRow& r) { return r.datapath == "fused"; });
  return row == rows.end() ? rows.front() : *row;
}

std::vector<Front> fronts_of(const ordered_json& record) {
  std::vector<Front> fronts;
  if (!record.contains("fronts")) return fronts;
  for (const ordered_json& row : record["fronts"]["rows"]) {
    if (fronts.empty() || row["recipe"] != fronts.back().recipe)
      fronts.push_back({.recipe = row["recipe"],
                        .format = row["format"],
                        .noise = number_or_nan(record["fronts"]["noise"][row["recipe"]]["sd"]),
                        .rows = {}});
    const double area = row["area_um2"], products = row["macs_per_cycle"];
    fronts.back().rows.push_back({.datapath = row["datapath"],
                                  .products = products,
                                  .area = area,
                                  .area_per_product = area / products,
                                  .clock = row["mhz"],
                                  .energy = row["pj_per_mac"],
                                  .perplexity = number_or_nan(row["ppl"]),
                                  .nll = number_or_nan(row["nll"])});
  }
  return fronts;
}

std::string section_fronts(const ordered_json& record) {
  const std::vector<Front> fronts = fronts_of(record);
  if (fronts.empty()) return "";
  const ordered_json& head = record["fronts"];
  std::string body = fmt::format(fmt::runtime(fronts_text), text(head["library"]["name"]),
                                 text(head["model"]["name"]), grouped(head["tokens"]),
                                 text(head["text"]["file"]), head["fp32"]["ppl"].get<double>());
  int place = 0;
  for (const Front& front : fronts) {
    const auto figure = [&](double FrontRow::*cost, const std::string& name, const char* what) {
      return html_figure(plot_front(front, cost, fmt::format("{}{}", name, place)),
                         fmt::format("{}: {} against perplexity; numbers as in the table.",
                                     escape_html(front.recipe), what));
    };
    body += table_of(front, number_or_nan(head["fp32"]["nll"])) +
            figure(&FrontRow::area_per_product, "area", "area of a product a cycle") +
            figure(&FrontRow::energy, "energy", "energy of a product");
    ++place;
  }
  return section(6, "What a datapath costs, and what a model loses on it", body);
}

}  // namespace mxref
