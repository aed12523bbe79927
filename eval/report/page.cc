#include "eval/report/page.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/report/html.h"
#include "eval/report/page_sections.h"
#include "eval/report/page_style.h"

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
      out += card("MACs of the model, in RTL", grouped(row["macs"]));
  for (const ordered_json& row : summary["accuracy"])
    if (row["recipe"] != "fp32" && !row["recovery_percent"].is_null())
      out += card(fmt::format("accuracy kept, {}", escape_html(row["recipe"].get<std::string>())),
                  fmt::format("{:.1f}&nbsp;%", row["recovery_percent"].get<double>()));
  return out;
}

// What a failed comparison printed: operands, expected, got, and the command that repeats it.
std::string failures(const ordered_json& record) {
  std::string out;
  for (const ordered_json& row : record["results"])
    if (row["task"] == "failure")
      out += "<pre>" + escape_html(row["text"].get<std::string>()) + "</pre>\n";
  return out;
}

std::string entry(std::string_view title, const std::string& text) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>\n", title, escape_html(text));
}

std::string about(const ordered_json& record) {
  const ordered_json& host = record["host"];
  std::string out = entry("model", fmt::format("{}, {} parameters, sha256 {}",
                                               record["model"]["name"].get<std::string>(),
                                               grouped(record["model"]["parameters"]),
                                               record["model"]["sha256"].get<std::string>()));
  for (const auto& [use, text] : record["texts"].items())
    out += entry(fmt::format("text for {}", use),
                 fmt::format("{}, sha256 {}", text["file"].get<std::string>(),
                             text["sha256"].get<std::string>()));
  out +=
      entry("machine", fmt::format("{}, {} cores, kernels {}, {} threads",
                                   host["cpu"].get<std::string>(), host["cores"].get<int>(),
                                   host["isa"].get<std::string>(), record["threads"].get<int>()));
  out += entry("program",
               fmt::format("mxref {}, commit {}, seed {}", record["version"].get<std::string>(),
                           record["commit"].get<std::string>(), record["seed"].dump()));
  out += entry("run time", fmt::format("{:.0f} seconds", record["wall_seconds"].get<double>()));
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
{failures}{sections}<h2>About this run</h2>
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
  for (auto section : {section_agreement, section_cosimulation, section_rtl_forward,
                       section_accuracy, section_drift})
    sections += section(record);
  return fmt::format(fmt::runtime(skeleton),
                     fmt::arg("model", escape_html(record["model"]["name"].get<std::string>())),
                     fmt::arg("style", page_style),
                     fmt::arg("failed", summary["passed"].get<bool>() ? "" : " failed"),
                     fmt::arg("verdict", escape_html(summary["verdict"].get<std::string>())),
                     fmt::arg("cards", cards(record)), fmt::arg("failures", failures(record)),
                     fmt::arg("sections", sections), fmt::arg("about", about(record)));
}

}  // namespace mxref
