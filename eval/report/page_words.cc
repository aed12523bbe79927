// What the page's words mean: its recipes, formats and measures, each where the record names it.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "emu/datapaths.h"
#include "emu/formats.h"
#include "eval/report/html.h"
#include "eval/report/page_sections.h"
#include "eval/report/published.h"
#include "eval/report/result_rows.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

// What is named on the way and wants a meaning of its own.
struct Named {
  std::set<std::string> formats, prescales, datapaths;
};

std::string joined(const ordered_json& words) {
  std::string out;
  for (const ordered_json& word : words) out += (out.empty() ? "" : ", ") + word.get<std::string>();
  return out.empty() ? "none" : out;
}

std::string side_of(const ordered_json& side, Named& named) {
  const auto format = side["format"].get<std::string>();
  if (format == "none") return "binary32";
  if (format == "bf16") return "bfloat16";
  named.formats.insert(format);
  const std::string prescale = side.value("prescale", "1");
  if (prescale == "1") return format;
  named.prescales.insert(prescale);
  return fmt::format("{} with pre-scale {}", format, prescale);
}

// Attention's own products, where they are not computed in binary32.
std::string attention_of(const ordered_json& object, Named& named) {
  std::string text;
  if (object.contains("attention"))
    for (const auto& [operand, side] : object["attention"].items())
      if (const std::string format = side_of(side, named); format != "binary32")
        text += fmt::format(", attention's {} in {}", operand, format);
  return text;
}

// `usual`: the layers that recipes skip.
std::string recipe(const std::string& name, const ordered_json& object, const ordered_json& usual,
                   Named& named) {
  const std::string weights = side_of(object["weights"], named),
                    activations = side_of(object["activations"], named);
  std::string text = weights == activations
                         ? "weights and activations in " + weights
                         : fmt::format("weights in {}, activations in {}", weights, activations);
  const std::string kv = object.contains("kv") ? side_of(object["kv"], named) : "binary32";
  const std::string attention = attention_of(object, named);
  if (kv != "binary32") text += ", cached keys and values in " + kv;
  text += attention;
  if (weights == "binary32" && activations == weights && kv == weights && attention.empty())
    text += ": the baseline";
  if (object["skip"] != usual) text += "; not quantized: " + joined(object["skip"]);
  if (!object["overrides"].empty()) text += "; some layers otherwise (report.json)";
  return html_entry(name, text);
}

std::string published(const ordered_json& record) {
  std::string out;
  for (const PublishedRecipe& row : published_recipes)
    for (const ordered_json& cell : record["published"]) {
      if (cell["recipe"] != row.name || record["recipes"].contains(row.name)) continue;
      out += html_entry(row.name, row.what);
      break;
    }
  return out;
}

std::string meanings(const Named& named) {
  std::string out;
  for (const BlockFormat& format : block_formats) {
    if (!named.formats.contains(std::string(format.name))) continue;
    const ElementFormat& element = *format.element;
    out += html_entry(
        format.name,
        fmt::format("elements of {} bits ({}: a sign, {} of exponent, {} of mantissa); {} "
                    "neighbours of a row share a scale, {}",
                    element.bits(), element.name, element.exponent_bits, element.mantissa_bits,
                    format.block,
                    format.has_tensor_scale()
                        ? "a number of 8 bits, beside one of binary32 for a whole tensor or row"
                        : "a power of two"));
  }
  for (const std::string& prescale : named.prescales)
    out += html_entry(
        "pre-scale " + prescale,
        fmt::format("elements are multiplied by {} before they are rounded, so that fewer "
                    "exceed the largest that the format has, and the product is divided "
                    "by it again",
                    prescale));
  for (const Datapath& datapath : datapaths)
    if (named.datapaths.contains(std::string(datapath.name)))
      out += html_entry(fmt::format("datapath {}", datapath.name), datapath.source);
  return out;
}

// The checkpoint's own storage: a type below 16 bits a value is somebody's quantization.
std::string baseline(const ordered_json& model) {
  std::string types, quantized;
  for (const ordered_json& row : model["storage"]) {
    const double bits = 8 * row["bytes"].get<double>() / row["values"].get<double>();
    types += fmt::format("{}{} values in {} ({:.3g} bits each{})", types.empty() ? "" : ", ",
                         grouped(row["values"]), row["type"].get<std::string>(), bits,
                         bits < 16 ? ", scales included" : "");
    if (bits < 16) quantized += (quantized.empty() ? "" : ", ") + row["type"].get<std::string>();
  }
  if (!quantized.empty())
    types += fmt::format(
        ". It was quantized before it came here ({}): fp32 means its dequantized weights, and "
        "every loss is relative to these, not to the model as it was trained",
        quantized);
  return html_entry("the model’s file", "holds " + types);
}

// One sentence, where there is any.
std::string noise(const ordered_json& results) {
  for (const ordered_json& row : results)
    if (row.contains("noise"))
      return html_entry("noise",
                        fmt::format("standard deviation of the run and {} more, {} perturbed by a "
                                    "relative {}: differences below it say nothing about methods",
                                    row["noise"]["runs"].get<int64_t>(),
                                    row["noise"]["places"].get<std::string>(),
                                    row["noise"]["relative"].get<std::string>()));
  return "";
}

}  // namespace

std::string section_words(const ordered_json& record) {
  Named named;
  std::string recipes;
  const ordered_json& usual = record["recipes"]["fp32"]["skip"];
  for (const auto& [name, object] : record["recipes"].items())
    recipes += recipe(name, object, usual, named);
  for (const ordered_json& row : rows_of(record["results"], "crosscheck")) {
    for (const char* side : {"format_a", "format_b"}) named.formats.insert(row[side]);
    named.datapaths.insert(row["datapath"]);
  }
  return "<h2>What the words mean</h2>\n<dl class=\"words\">\n" + baseline(record["model"]) +
         recipes + html_entry("the paper", published_paper) + published(record) +
         html_entry("not quantized", joined(usual) +
                                         " (the output layer), embeddings and norms: "
                                         "binary32 unless the recipe says otherwise") +
         meanings(named) +
         html_entry("accuracy kept",
                    "recovery: mean accuracy over the tasks, divided by that of fp32") +
         html_entry("±", "one standard error") + noise(record["results"]) + "</dl>\n";
}

}  // namespace mxref
