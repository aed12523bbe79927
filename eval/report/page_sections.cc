#include "eval/report/page_sections.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "eval/report/engine_words.h"
#include "eval/report/html.h"
#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

// What the sections say.
constexpr std::string_view agreement_text = R"html(
<p>Each engine multiplies the same quantized operands as the scalar integer definition does, and
every result is compared bit for bit: on seeded random operands with special values among them
(NaN, the ends of the scale range, cancellation, ties), and on operands caught inside the model
(its real weights and activations).</p>
)html";
constexpr std::string_view controls_text = R"html(
<p>A check that cannot fail proves nothing: these errors were planted, and went through the comparisons
of this page.</p>
)html";
constexpr std::string_view lockstep_text = R"html(
<p>The Verilated RTL and the SystemC model run side by side under random stimulus and random
back-pressure. Every transfer is compared with the other model and with the definition, in the same
cycle.</p>
)html";
constexpr std::string_view rtl_forward_text = R"html(
<p>{} tokens of real text went through the whole model at {} with {} of the {} linear layers of its
blocks computed by the simulated RTL array: {} multiply-accumulates in {} clock cycles. Compared with
the kernels’ were each result of each layer ({}, {} different), the hidden values, which are what the
embedding and each block hand on ({}, {} different), and the logits ({}, {} different).</p>
)html";
constexpr std::string_view accuracy_text = R"html(
<p>Weights and activations rounded to nearest, no method applied: perplexity over {} windows of {}
tokens of {}, and {}. Every recipe sees the same windows and items, so the errors of ratios are those
of paired differences. The paper calls a loss of at most {} % lossless, up to {} % fair, more than
that risky; where one standard error reaches over a border both words stand.</p>
)html";
constexpr std::string_view drift_text = R"html(
<p>The common practice, <em>fake quantization</em>, rounds the operands and then lets a library
multiply in binary32, in whatever order it likes. The datapath accumulates block by block with one
rounding each. Where they first differ it is by a last bit; the roundings to few bits that follow make
it grow, so what stands here is as much the noise of such a model as it is a bias. The same windows
under both, the difference in mean negative log-likelihood a token (datapath minus fake quantization,
in nats):</p>
)html";

// "28.41 ± 0.52"; a dash where there is no number.
std::string with_error(const ordered_json& value, const ordered_json& error, int digits,
                       double factor = 1) {
  if (value.is_null()) return "–";
  const std::string text = fmt::format("{:.{}f}", factor * value.get<double>(), digits);
  if (error.is_null()) return text;
  return fmt::format("{}&nbsp;±&nbsp;{:.{}f}", text, factor * error.get<double>(), digits);
}

// Planted errors: name, what is wrong, whether it was caught.
std::string planted(const ResultRows& controls) {
  std::string out = "<ul class=\"planted\">\n";
  for (const ordered_json& row : controls)
    out += fmt::format("<li><b>{}</b>{}: {} {}</li>\n", text(row["name"]),
                       row.contains("unit") ? ", " + text(row["unit"]) : "", text(row["what"]),
                       row["caught"].get<bool>() ? "<span class=\"good\">caught</span>"
                                                 : "<span class=\"bad\">not caught</span>");
  return out + "</ul>\n";
}

// The formats and datapaths that the rows name.
std::string products_of(const ResultRows& rows) {
  std::set<std::string> pairs, datapaths;
  for (const ordered_json& row : rows) {
    if (row["compared"] == 0) continue;
    pairs.insert(text(row["format_a"]) + " × " + text(row["format_b"]));
    datapaths.insert(text(row["datapath"]));
  }
  return fmt::format("{}, datapath {}", fmt::join(pairs, ", "), fmt::join(datapaths, ", "));
}

// Why some engines have fewer results than others.
std::string refusals_of(const ResultRows& rows) {
  std::map<std::string, std::set<std::string>> engines;  // by reason
  for (const ordered_json& row : rows)
    if (row.contains("refused")) engines[text(row["refused"])].insert(text(row["implementation"]));
  std::string out;
  for (const auto& [reason, names] : engines)
    out += fmt::format("{}{} (“{}”)", out.empty() ? "" : "; ", fmt::join(names, ", "), reason);
  if (out.empty()) return "";
  return fmt::format("<p>Not every engine takes every product: fewer results of {}.</p>\n", out);
}

std::string label_of(const ordered_json& implementation) {
  for (const EngineWords& row : engine_words)
    if (row.implementation == implementation) return std::string(row.what);
  return "";
}

}  // namespace

std::string section(int place, std::string_view title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<h2><span>{}</span>{}</h2>\n{}", place, title, body);
}

std::string section_agreement(const ordered_json& record) {
  Rows rows;
  for (const ordered_json& row : record["summary"]["agreement"])
    rows.push_back({text(row["implementation"]), label_of(row["implementation"]),
                    grouped(row["random"]), grouped(row["model"]), grouped(row["mismatches"]),
                    html_mark(row["mismatches"] == 0, "different")});
  if (rows.empty()) return "";
  const auto controls = rows_of(record["results"], "control");
  return section(1, "Every engine computes the same bits",
                 std::string(agreement_text) +
                     html_table("Results against the definition: " +
                                    products_of(rows_of(record["results"], "crosscheck")),
                                {{"engine"},
                                 {"what it is", Column::Kind::text},
                                 {"on random operands", number},
                                 {"on the model's", number},
                                 {"different", number},
                                 {""}},
                                rows) +
                     refusals_of(rows_of(record["results"], "crosscheck")) +
                     std::string(controls_text) + planted(controls));
}

// "aligned 64/16/35 rne, FTZ": what a datapath that has no name does.
static std::string datapath_of(const ordered_json& row) {
  const auto name = row["datapath"].get<std::string>();
  if (!name.starts_with("{")) return text(row["datapath"]);
  const auto described = ordered_json::parse(name);
  std::string words = text(described["kind"]);
  if (words == "aligned")
    words +=
        fmt::format(" {}/{}/{} {}", described["terms"].get<int>(), described["group"].get<int>(),
                    described["fraction_bits"].get<int>(), text(described["output"]));
  return words + (described.value("ftz", false) ? ", FTZ" : "");
}

// "2 × 3"
static std::string array_of(const ordered_json& row) {
  return fmt::format("{} × {}", row["rows"].get<int64_t>(), row["cols"].get<int64_t>());
}

static std::vector<std::string> coverage_line(const std::string& what,
                                              const ordered_json& coverage) {
  std::vector<std::string> line{what};
  for (const char* kind : {"line", "toggle", "functional"})
    line.push_back(coverage.contains(kind) && coverage[kind].is_number()
                       ? html_bar(coverage[kind].get<double>())
                       : "–");
  return line;
}

std::string section_cosimulation(const ordered_json& record) {
  Rows rows, coverage;
  for (const ordered_json& row : rows_of(record["results"], "cosim")) {
    const std::string formats = text(row["format_a"]) + " × " + text(row["format_b"]);
    rows.push_back({datapath_of(row), array_of(row), formats, grouped(row["cycles"]),
                    grouped(row["stalled_cycles"]), grouped(row["blocks"]),
                    grouped(row["compared"]), grouped(row["mismatches"]),
                    grouped(row["assertions_failed"])});
    // Each row has that of all arrays which collect it.
    if (row.contains("coverage") && coverage.empty())
      coverage.push_back(coverage_line("arrays, " + array_of(row["coverage"]), row["coverage"]));
  }
  if (rows.empty()) return "";
  for (const ordered_json& row : rows_of(record["results"], "coverage"))
    coverage.push_back(
        coverage_line(row.contains("unit") ? text(row["unit"]) : "all together", row["coverage"]));
  Rows units;
  for (const ordered_json& row : rows_of(record["results"], "cosim_unit")) {
    const auto where_counted = [&](const char* field) {
      return row.contains(field) ? grouped(row[field]) : "–";
    };
    units.push_back({text(row["unit"]), text(row["model"]), grouped(row["cycles"]),
                     where_counted("stalled_cycles"), grouped(row["compared"]),
                     grouped(row["mismatches"]), where_counted("assertions_failed")});
  }
  const auto faults = rows_of(record["results"], "fault");
  std::string body = std::string(lockstep_text) + html_table("Lock-step runs",
                                                             {{"datapath"},
                                                              {"array"},
                                                              {"formats"},
                                                              {"cycles", number},
                                                              {"stalled", number},
                                                              {"block products", number},
                                                              {"transfers compared", number},
                                                              {"different", number},
                                                              {"assertions failed", number}},
                                                             rows);
  if (!units.empty())
    body += html_table("Lock-step runs of the other units",
                       {{"unit"},
                        {"build"},
                        {"cycles", number},
                        {"stalled", number},
                        {"transfers compared", number},
                        {"different", number},
                        {"assertions failed", number}},
                       units);
  if (!coverage.empty())
    body += html_table("Coverage of the RTL",
                       {{"of"}, {"lines"}, {"toggles"}, {"functional points"}}, coverage);
  if (!faults.empty())
    body += fmt::format("<p>{} faults planted inside the RTL, one at a time:</p>\n",
                        grouped(record["summary"]["faults"])) +
            planted(faults);
  return section(2, "RTL and SystemC in lock-step", body);
}

std::string section_rtl_forward(const ordered_json& record) {
  std::string body;
  for (const ordered_json& row : rows_of(record["results"], "rtl_forward")) {
    Rows rows;
    for (const ordered_json& layer : row["layers"])
      rows.push_back({text(layer["module"]),
                      fmt::format("{} × {}", layer["n"].get<int64_t>(), layer["k"].get<int64_t>()),
                      grouped(layer["count"]), grouped(layer["macs"]), grouped(layer["cycles"]),
                      fmt::format("{:.1f}", layer["macs_per_cycle"].get<double>()),
                      grouped(layer["compared"]), grouped(layer["mismatches"])});
    body += fmt::format(fmt::runtime(rtl_forward_text), grouped(row["tokens"]), text(row["recipe"]),
                        grouped(row["linear_layers"]), grouped(row["linear_layers_of_model"]),
                        grouped(row["macs"]), grouped(row["cycles"]), grouped(row["layer_results"]),
                        grouped(row["layer_mismatches"]), grouped(row["hidden_values"]),
                        grouped(row["hidden_mismatches"]), grouped(row["logits"]),
                        grouped(row["logit_mismatches"]));
    body += html_table("Linear layers in the RTL",
                       {{"module"},
                        {"N × K"},
                        {"layers", number},
                        {"MACs", number},
                        {"cycles", number},
                        {"MACs a cycle", number},
                        {"compared", number},
                        {"different", number}},
                       rows);
  }
  return section(3, "The model on the RTL", body);
}

namespace {

std::string measured_table(const ordered_json& record) {
  std::vector<Column> columns{{"recipe"}, {"perplexity", number}, {"ratio to fp32", number}};
  for (const ordered_json& row : choices_of(record["results"], "fp32"))
    columns.push_back({text(row["task"]) + ", acc %", number});
  columns.insert(columns.end(), {{"accuracy kept %", number}, {"in the paper’s words"}});
  Rows rows;
  const auto texts = rows_of(record["results"], "perplexity");
  for (const ordered_json& line : record["summary"]["accuracy"]) {
    const auto own = std::find_if(texts.begin(), texts.end(), [&](const ordered_json& r) {
      return r["recipe"] == line["recipe"];
    });
    std::vector<std::string> row{
        text(line["recipe"]),
        with_error((*own)["ppl"], (*own)["ppl_stderr"], 2) + html_noise(noise_of(*own, "ppl")),
        with_error(line["ppl_ratio"], line["ppl_ratio_stderr"], 3) +
            html_noise(number_of(line, "ppl_ratio_noise"))};
    for (const ordered_json& task : choices_of(record["results"], line["recipe"]))
      row.push_back(with_error(task["acc"], task["stderr"], 1, 100) +
                    html_noise(100 * noise_of(task, "acc")));
    row.push_back(with_error(line["recovery_percent"], line["recovery_stderr"], 1) +
                  html_noise(number_of(line, "recovery_noise")));
    row.push_back(line["recipe"] == "fp32" ? "baseline" : text(line["class"]));
    rows.push_back(std::move(row));
  }
  return html_table(has_noise(record["results"])
                        ? "Measured here, each with its standard error and its noise"
                        : "Measured here, each with its standard error",
                    columns, rows);
}

std::string published_table(const ordered_json& record) {
  Rows rows;
  for (const ordered_json& cell : record["published"])
    rows.push_back({text(cell["model"]), text(cell["recipe"]),
                    fmt::format("{:.2f}", cell["recovery_percent"].get<double>()),
                    fmt::format("{:.2f}", cell["perplexity"].get<double>())});
  return html_table(
      "Published for other, larger models (" + text(record["published"][0]["source"]) +
          "); to stand beside, not to be met",
      {{"model"}, {"recipe"}, {"accuracy kept %", number}, {"WikiText-2 perplexity", number}},
      rows);
}

}  // namespace

std::string section_accuracy(const ordered_json& record) {
  if (record["summary"]["accuracy"].empty()) return "";
  const auto texts = rows_of(record["results"], "perplexity");
  const ordered_json& thresholds = record["summary"]["thresholds"];
  const double lossless = thresholds["lossless_drop_percent"],
               risky = thresholds["risky_drop_percent"];
  std::string items;
  for (const ordered_json& row : choices_of(record["results"], "fp32"))
    items += fmt::format("{}{} items of {} (item form {})", items.empty() ? "" : ", ",
                         grouped(row["items"]), text(row["task"]), text(row["form"]));
  return section(
      4, "What the model keeps of its accuracy",
      fmt::format(fmt::runtime(accuracy_text), texts[0]["nll_sums"].size(),
                  grouped(texts[0]["window"]), text(texts[0]["file"]), items, lossless, risky) +
          measured_table(record) + "<div class=\"pair\">" +
          html_figure(plot_perplexity(record), "Perplexity; bars are one standard error.") +
          html_figure(plot_accuracy(record),
                      "Accuracy of the choice tasks; bars are one standard error.") +
          "</div>\n" +
          html_figure(
              plot_recovery(record),
              fmt::format(
                  "Accuracy kept, ours beside the published figures of other models. Shaded: "
                  "the paper’s lossless (down to {} %) and fair (down to {} %).",
                  100 - lossless, 100 - risky)) +
          published_table(record));
}

std::string section_drift(const ordered_json& record) {
  Rows rows;
  for (const ordered_json& row : record["summary"]["drift"])
    rows.push_back(
        {text(row["recipe"]),
         fmt::format("{:+.6f}{}{}", row["mean"].get<double>(),
                     row["stderr"].is_null()
                         ? ""
                         : fmt::format("&nbsp;±&nbsp;{:.6f}", row["stderr"].get<double>()),
                     html_noise(number_of(row, "noise"))),
         fmt::format("{:.6f}", row["largest_of_a_window"].get<double>()), grouped(row["windows"])});
  if (rows.empty()) return "";
  return section(
      5, "How far fake quantization is from the datapath",
      std::string(drift_text) +
          html_table("Drift",
                     {{"recipe"},
                      {"mean difference", number},
                      {"largest of a window", number},
                      {"windows", number}},
                     rows) +
          html_figure(plot_drift(record), "Difference in nll a token, window by window."));
}

}  // namespace mxref
