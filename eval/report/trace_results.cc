#include "eval/report/trace_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "emu/files/json_file.h"
#include "emu/files/quantized.h"
#include "eval/report/audit_results.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr const char* tokens_fact = "input_ids_sha256";

std::string value_text(uint32_t bits) { return with_value(std::bit_cast<float>(bits)); }

bool has_inputs(const TraceModule& module) { return module.shapes.size() > 1; }

bool differs(const TraceReport& report, std::string_view fact) {
  return std::ranges::any_of(report.facts, [&](const TraceFact& f) { return f.name == fact; });
}

// What the first difference means.
std::string meaning(const TraceModule& module, const TraceReport& report) {
  if (!report.starts_there())
    return "its input differs already, though no output before it does: they part between "
           "modules,\n"
           "where a value is passed on from one to the next";
  if (has_inputs(module))
    return "it starts here: the inputs are equal bit for bit, so this module itself computes " +
           std::string(differs(report, "model.sha256") ? "differently,\nor has other weights"
                                                       : "differently");
  return differs(report, tokens_fact)
             ? "it starts here: the models read other tokens"
             : "it starts here, before any arithmetic: the embeddings are other numbers";
}

std::string first_text(const Trace& trace, const TraceReport& report) {
  const TraceModule& module = trace.modules[report.differing.front().module];
  const TracePlace& first = *report.first;
  std::string text = fmt::format("first to differ: {} (module {} of {}), {}\n", module.name,
                                 report.differing.front().module, report.modules, first.tensor);
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<10} {}\n", name, value);
  };
  line("row", fmt::format("{}, element {}: {} of {}", first.row(), first.element(),
                          to_string(first.index()), to_string(first.shape)));
  line("a", value_text(first.a));
  line("b", value_text(first.b));
  line("different", fmt::format("{} of {} values", first.different, first.values()));
  return text + meaning(module, report) + "\n";
}

ordered_json first_result(const Trace& trace, const TraceReport& report) {
  if (!report.first) return nullptr;
  const TraceModule& module = trace.modules[report.differing.front().module];
  const TracePlace& first = *report.first;
  return {{"module", module.name},        {"tensor", first.tensor},
          {"row", first.row()},           {"element", first.element()},
          {"index", first.index()},       {"shape", first.shape},
          {"a", value_text(first.a)},     {"b", value_text(first.b)},
          {"different", first.different}, {"starts_here", report.starts_there()}};
}

}  // namespace

ordered_json trace_result(const Trace& a, const Trace& b, const TraceReport& report) {
  ordered_json differing = ordered_json::array(), facts = ordered_json::object();
  for (const TraceDifference& row : report.differing)
    differing.push_back({{"module", a.modules[row.module].name},
                         {"inputs_different", row.inputs},
                         {"output_different", row.outputs}});
  for (const TraceFact& fact : report.facts) facts[fact.name] = {fact.a, fact.b};
  return {{"task", "audit"},
          {"traces", {a.folder.string(), b.folder.string()}},
          {"modules", report.modules},
          {"modules_different", report.differing.size()},
          {"compared", report.compared},
          {"different", report.different},
          {"first", first_result(a, report)},
          {"differing", differing},
          {"facts", facts}};
}

std::string trace_text(const Trace& a, const Trace& b, const TraceReport& report) {
  std::string text = fmt::format(
      "a: {}\nb: {}\ncompared {} modules, different {}; compared {} values, different {}\n",
      a.folder.string(), b.folder.string(), report.modules, report.differing.size(),
      report.compared, report.different);
  if (!report.facts.empty()) text += "what differs of the runs\n";
  for (const TraceFact& fact : report.facts)
    text += fmt::format("  {:<24} {} | {}\n", fact.name, shown_text(fact.a), shown_text(fact.b));
  return text + (report.first ? first_text(a, report)
                              : "every module has the same inputs and output, bit for bit\n");
}

}  // namespace mxref
