#include "eval/report/audit_results.h"

#include <fmt/format.h>

#include <bit>

#include "emu/hex.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

std::string hex(uint64_t value, int digits) { return "0x" + to_hex(value, digits); }
std::string answer_text(DType type, uint32_t bits) {
  return fmt::format("{} ({:.9g})", hex(bits, type == DType::F32 ? 8 : 4),
                     std::bit_cast<float>(from_answer(type, bits)));
}

std::string scale_text(const ScaleFormat& format, uint8_t code) {
  if (format.is_nan(code)) return hex(code, 2) + " (NaN)";
  const auto s = format.parts(code);
  return s.significand == 1 ? fmt::format("{} (2^{})", hex(code, 2), s.exponent)
                            : fmt::format("{} ({}·2^{})", hex(code, 2), s.significand, s.exponent);
}
// The element alone, without its scale.
std::string code_text(const ElementFormat& f, uint8_t code) {
  const int digits = (f.bits() + 3) / 4;
  if (is_nan(f, code)) return hex(code, digits) + " (NaN)";
  if (is_inf(f, code)) return hex(code, digits) + (is_negative(f, code) ? " (-Inf)" : " (Inf)");
  const char* zero = is_negative(f, code) && f.magnitude(code) == 0 ? "-" : "";
  return fmt::format("{} ({}{:.9g})", hex(code, digits), zero,
                     std::ldexp(double(value_units(f, code)), f.unit_log2()));
}

ordered_json scales_and_codes(const MxTensor& q, int64_t row) {
  ordered_json scales = ordered_json::array(), codes = ordered_json::array();
  for (uint8_t scale : q.row_scales(row)) scales.push_back(scale_text(*q.format().scale, scale));
  for (uint8_t code : q.row_codes(row)) codes.push_back(code_text(q.element(), code));
  ordered_json object{{"format", q.format().name}, {"block", q.block()}};
  if (!q.conversion.prescale.is_one()) object["prescale"] = to_string(q.conversion.prescale);
  object["scales"] = std::move(scales);
  object["codes"] = std::move(codes);
  if (!q.tensor_scales.empty()) object["tensor_scale"] = with_value(q.tensor_scale(row));
  return object;
}

ordered_json product_smallest(const ProductCase& of, int64_t unit) {
  const int64_t N = of.input().b.rows(), m = unit / N, n = unit % N;
  const AuditUnit results = of.unit(unit);
  const DType type = of.answer().type;
  ordered_json object{{"datapath", of.datapath().name}};
  if (of.units() > 1) object["index"] = {m, n};
  object["a"] = scales_and_codes(of.input().a, m);
  object["b"] = scales_and_codes(of.input().b, n);
  if (!of.input().c.empty()) object["c"] = with_value(of.input().c[size_t(unit)]);
  object["expected"] = answer_text(type, results.expected[0]);
  object["got"] = answer_text(type, results.got[0]);
  return object;
}

ordered_json conversion_smallest(const ConversionCase& of, int64_t unit) {
  const Conversion& conversion = of.input().conversion;
  const AuditUnit results = of.unit(unit);
  ordered_json x = ordered_json::array();
  for (float value : of.values(unit)) x.push_back(with_value(value));
  ordered_json object{{"format", conversion.format->name}};
  if (!conversion.format->has_tensor_scale()) {
    object["scale_rule"] = conversion.rule->name;
    object["prescale"] = to_string(conversion.prescale);
  }
  object["rounding"] = conversion.rounding->name;
  object["x"] = std::move(x);
  const auto coded = [&](const std::vector<uint32_t>& unit_results) -> ordered_json {
    if (unit_results.size() == 1)
      return {{"tensor_scale", with_value(std::bit_cast<float>(unit_results[0]))}};
    ordered_json codes = ordered_json::array();
    for (size_t i = 1; i < unit_results.size(); ++i)
      codes.push_back(code_text(*conversion.format->element, uint8_t(unit_results[i])));
    return {{"scale", scale_text(*conversion.format->scale, uint8_t(unit_results[0]))},
            {"codes", std::move(codes)}};
  };
  object["expected"] = coded(results.expected);
  object["got"] = coded(results.got);
  return object;
}

// A value of the object above on one line; of a long list its beginning.
std::string line_of(const ordered_json& value) {
  constexpr size_t most = 16;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::string text;
    for (size_t i = 0; i < value.size() && i < most; ++i)
      text += (i ? ", " : "") + line_of(value[i]);
    return value.size() > most ? fmt::format("{}, … ({} in all)", text, value.size()) : text;
  }
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [name, field] : value.items())
    text += (text.empty() ? "" : "; ") + name + " " + line_of(field);
  return text;
}

}  // namespace

std::string with_value(float x) {
  return fmt::format("{} ({:.9g})", hex(std::bit_cast<uint32_t>(x), 8), x);
}

ordered_json audit_smallest(const SmallestFailure& failure) {
  if (!failure.of) return nullptr;
  const auto* product = dynamic_cast<const ProductCase*>(failure.of);
  ordered_json object =
      product ? product_smallest(*product, failure.unit)
              : conversion_smallest(dynamic_cast<const ConversionCase&>(*failure.of), failure.unit);
  object["repro"] = failure.reproduce;
  return object;
}

ordered_json audit_result(const AuditReport& report, const SmallestFailure& failure) {
  ordered_json classes = ordered_json::object(), hypotheses = ordered_json::array(),
               explained = ordered_json::array();
  for (const DifferenceClassName& row : difference_classes) classes[std::string(row.name)] = 0;
  for (const ClassRow& row : report.rows) {
    auto& count = classes[std::string(name_of(row.difference))];
    count = count.get<int64_t>() + row.count;
    hypotheses.push_back({{"class", name_of(row.difference)},
                          {"hypothesis", row.hypothesis},
                          {"what", row.what},
                          {"count", row.count}});
  }
  for (const Hypothesis& row : report.explanations) explained.push_back(row.name);
  return {{"compared", report.compared},        {"different", report.different},
          {"max_ulp", report.max_ulp},          {"mean_ulp", report.mean_ulp},
          {"without_ulp", report.without_ulp},  {"classes", classes},
          {"hypotheses", hypotheses},           {"explained_by", explained},
          {"smallest", audit_smallest(failure)}};
}

std::string audit_text(const AuditReport& report, const SmallestFailure& failure) {
  std::string text =
      fmt::format("compared {}, different {}; error in ulp: largest {:.6g}, mean {:.6g}",
                  report.compared, report.different, report.max_ulp, report.mean_ulp);
  if (report.without_ulp > 0)
    text += fmt::format("; {} differences have none (NaN, Inf, a scale)", report.without_ulp);
  text += "\n";
  for (const ClassRow& row : report.rows) {
    text += fmt::format("  {:<24} {:>10}", name_of(row.difference), row.count);
    if (!row.hypothesis.empty()) text += "  " + row.hypothesis + ": " + row.what;
    text += "\n";
  }
  constexpr size_t most = 4;
  for (size_t i = 0; i < report.explanations.size() && i < most; ++i)
    text += fmt::format("explained by {} in every result: {}\n", report.explanations[i].name,
                        report.explanations[i].what);
  if (report.explanations.size() > most)
    text += fmt::format("and by {} more: what was compared does not tell them apart\n",
                        report.explanations.size() - most);
  if (!failure.of) return text;
  text += "smallest failing input\n";
  const ordered_json smallest = audit_smallest(failure);
  for (const auto& [name, value] : smallest.items())
    if (value != "") text += fmt::format("  {:<10} {}\n", name, line_of(value));
  return text;
}

}  // namespace mxref
