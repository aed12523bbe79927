#include "eval/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/report/html.h"
#include "eval/report/page_sections.h"
#include "eval/report/page_style.h"
#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

std::string card(const std::string& title, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", title, value);
}

std::string cards(const ordered_json& record) {
  const ordered_json& summary = record["summary"];
  std::string out =
      card("results compared", grouped(summary["compared"])) +
      card("different", grouped(summary["different"])) +
      card("controls caught", fmt::format("{} of {}", summary["controls_caught"].get<int64_t>(),
                                          summary["controls"].get<int64_t>()));
  for (const ordered_json& row : record["results"])
    if (row["task"] == "rtl_forward")
      out += card("multiply-accumulates in RTL", grouped(row["macs"]));
  for (const ordered_json& row : summary["accuracy"]) {
    if (row["recipe"] == "fp32" || row["recovery_percent"].is_null()) continue;
    const ordered_json& error = row["recovery_stderr"];
    out += card(fmt::format("accuracy kept, {}", escape_html(row["recipe"].get<std::string>())),
                fmt::format("{:.1f}{}{}&nbsp;%", row["recovery_percent"].get<double>(),
                            error.is_null()
                                ? ""
                                : fmt::format(" <small>±&nbsp;{:.1f}</small>", error.get<double>()),
                            html_noise(number_of(row, "recovery_noise"))));
  }
  return out;
}

// What the accuracy above is worth: an error beyond the paper's border to risky hides all but a
// gross loss.
std::string items_note(const ordered_json& record) {
  int64_t items = 0;
  std::string tasks;
  for (const ordered_json& row : choices_of(record["results"], "fp32")) {
    items += row["items"].get<int64_t>();
    tasks += (tasks.empty() ? "" : ", ") + row["task"].get<std::string>();
  }
  if (items == 0) return "";
  const ordered_json& risky = record["summary"]["thresholds"]["risky_drop_percent"];
  const auto& rows = record["summary"]["accuracy"];
  const bool gross = std::any_of(rows.begin(), rows.end(), [&](const ordered_json& row) {
    return !row["recovery_stderr"].is_number() || row["recovery_stderr"] > risky;
  });
  return fmt::format(
      "<p class=\"note\">Accuracy on {} items ({}), ± one standard error{}</p>\n", grouped(items),
      escape_html(tasks),
      gross ? ": so few show a gross loss only. <code>mxref eval</code> without --limit scores all "
              "of them."
            : ".");
}

// What a failed comparison printed: operands, expected, got, and the command that repeats it.
std::string failures(const ordered_json& record) {
  std::string out;
  for (const ordered_json& row : record["results"])
    if (row["task"] == "failure")
      out += "<pre>" + escape_html(row["text"].get<std::string>()) + "</pre>\n";
  return out;
}

std::string about(const ordered_json& record) {
  const ordered_json& host = record["host"];
  std::string out = html_entry("model", fmt::format("{}, {} parameters, sha256 {}",
                                                    record["model"]["name"].get<std::string>(),
                                                    grouped(record["model"]["parameters"]),
                                                    record["model"]["sha256"].get<std::string>()));
  for (const auto& [use, text] : record["texts"].items())
    out += html_entry(fmt::format("text for {}", use),
                      fmt::format("{}, sha256 {}", text["file"].get<std::string>(),
                                  text["sha256"].get<std::string>()));
  out += html_entry(
      "machine", fmt::format("{}, {} cores, kernels {}, {} threads", host["cpu"].get<std::string>(),
                             host["cores"].get<int>(), host["isa"].get<std::string>(),
                             record["threads"].get<int>()));
  out += html_entry(
      "program", fmt::format("mxref {}, commit {}, seed {}", record["version"].get<std::string>(),
                             record["commit"].get<std::string>(), record["seed"].dump()));
  out +=
      html_entry("run time", fmt::format("{:.0f} seconds", record["wall_seconds"].get<double>()));
  return out;
}

constexpr std::string_view skeleton = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mxref: {model}</title>
<style>{style}</style>
</head>
<body><main>
<h1>mxref: one arithmetic, from RTL to the accuracy of {model}</h1>
<p class="verdict{failed}">{verdict}</p>
<dl class="cards">
{cards}</dl>
{note}{failures}{sections}<h2>About this run</h2>
<div class="meta"><dl>
{about}</dl>
<p>Every number of this page stands in report.json beside it.</p></div>
</main></body>
</html>
)html";

}  // namespace

std::string render_page(const ordered_json& record) {
  const ordered_json& summary = record["summary"];
  std::string sections;
  for (auto section : {section_words, section_agreement, section_cosimulation, section_rtl_forward,
                       section_accuracy, section_drift, section_fronts})
    sections += section(record);
  return fmt::format(fmt::runtime(skeleton),
                     fmt::arg("model", escape_html(record["model"]["name"].get<std::string>())),
                     fmt::arg("style", page_style),
                     fmt::arg("failed", summary["passed"].get<bool>() ? "" : " failed"),
                     fmt::arg("verdict", escape_html(summary["verdict"].get<std::string>())),
                     fmt::arg("cards", cards(record)), fmt::arg("note", items_note(record)),
                     fmt::arg("failures", failures(record)), fmt::arg("sections", sections),
                     fmt::arg("about", about(record)));
}

}  // namespace mxref
