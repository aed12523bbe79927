// mxref formats: every code, value and limit, read off the rows of the formats.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "emu/codec.h"
#include "emu/datapaths.h"
#include "emu/e8m0.h"
#include "emu/quantize.h"
#include "eval/cli/command.h"
#include "eval/cli/options.h"
#include "eval/report/record.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

struct FormatsSettings {
  const BlockFormat* format = nullptr;
  bool datapaths = false;
  std::filesystem::path json;
};

// Exact: an element's value has few significant bits.
double value(const ElementFormat& f, uint32_t code) {
  const double magnitude = std::ldexp(double(f.magnitude_units(f.magnitude(code))), f.unit_log2());
  return is_negative(f, code) ? -magnitude : magnitude;
}

// "NaN", "Inf" or "-Inf"; empty where it is a number.
std::string special_text(const ElementFormat& f, uint32_t code) {
  if (is_nan(f, code)) return "NaN";
  if (is_inf(f, code)) return is_negative(f, code) ? "-Inf" : "Inf";
  return "";
}

std::string value_text(const ElementFormat& f, uint32_t code) {
  const std::string special = special_text(f, code);
  return special.empty() ? fmt::format("{}", value(f, code)) : special;
}

uint32_t code_count(const ElementFormat& f) { return 1u << f.bits(); }

std::vector<uint32_t> codes_that(bool (*is)(const ElementFormat&, uint32_t),
                                 const ElementFormat& f) {
  std::vector<uint32_t> codes;
  for (uint32_t code = 0; code < code_count(f); ++code)
    if (is(f, code)) codes.push_back(code);
  return codes;
}
// "none", or in hexadecimal.
std::string in_words(const std::vector<uint32_t>& codes) {
  std::string list;
  for (uint32_t code : codes) list += fmt::format("{}0x{:02X}", list.empty() ? "" : " ", code);
  return list.empty() ? "none" : list;
}

std::string bit_layout(const ElementFormat& f) {
  if (f.sign == Sign::twos_complement)
    return fmt::format("code / {}", 1 << -f.unit_log2());  // two's complement
  return "S " + std::string(size_t(f.exponent_bits), 'E') + " " +
         std::string(size_t(f.mantissa_bits), 'M');
}

constexpr int usual_block = BlockFormat{}.block;

void print_limits(const std::vector<const BlockFormat*>& formats) {
  constexpr const char* line =
      "{:<12} {:<8} {:>4}  {:<10} {:>4} {:>4} {:>8} {:>17} {:>17}  {:<9}  {}\n";
  fmt::print(line, "format", "element", "bits", "code", "bias", "emax", "max", "min normal",
             "min subnormal", "Inf codes", "NaN codes");
  for (const BlockFormat* format : formats) {
    const ElementFormat& f = *format->element;
    const bool is_float = f.sign == Sign::magnitude;
    fmt::print(line, format->name, f.name, f.bits(), bit_layout(f),
               is_float ? std::to_string(f.bias) : "–", f.emax(), value(f, f.max_code()),
               is_float ? fmt::format("{}", value(f, 1u << f.mantissa_bits)) : "–", value(f, 1),
               in_words(codes_that(is_inf, f)), in_words(codes_that(is_nan, f)));
  }
  std::string other_blocks;
  for (const BlockFormat& format : block_formats)
    if (format.block != usual_block)
      other_blocks += fmt::format(", of {} in {}", format.block, format.name);
  fmt::print(
      "\nBlocks along the last dimension share one scale: of {} elements{}; lengths that a tensor "
      "of an MX format may have: {}.\nScale of the MX formats, e8m0: 2^(code - {}), "
      "from 2^{} (code 0x00) to 2^{} (code 0x{:02X}); 0x{:02X} = NaN; no zero, no sign.\nScale of "
      "nvfp4, ue4m3: an e4m3 code whose sign bit is ignored, 0x{:02X} = NaN; and one binary32 "
      "scale "
      "for the tensor, or for each row of a left operand.\nint8 is two's complement; its least "
      "code, {}, decodes and is never the result of a conversion.\n",
      usual_block, other_blocks, block_length_list(), e8m0::bias, e8m0::min_log2, e8m0::max_log2,
      e8m0::encode_sat(e8m0::max_log2), e8m0::nan, ue4m3_scale.nan, value(int8, int8.sign_mask()));
}

// Codes run down the columns.
void print_codes(const BlockFormat& format) {
  constexpr uint32_t columns = 4;
  const ElementFormat& f = *format.element;
  fmt::print("\n{}: the {} codes of {}\n", format.name, code_count(f), f.name);
  const uint32_t rows = code_count(f) / columns;
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t column = 0; column < columns; ++column) {
      const uint32_t code = column * rows + row;
      const bool last = column + 1 == columns;
      fmt::print("  0x{:02X} {:<{}}{}", code, value_text(f, code), last ? 0 : 12, last ? "\n" : "");
    }
}

std::string_view name_of(SumRounding rounding) {
  for (const SumRoundingName& row : sum_roundings)
    if (row.rounding == rounding) return row.name;
  return "";
}

void print_datapaths() {
  constexpr const char* line = "{:<18} {:>5} {:>5} {:>8} {:>6} {:<6}  {}\n";
  fmt::print(line, "datapath", "terms", "group", "fraction", "e_zero", "output", "source");
  for (const Datapath& d : datapaths) {
    const Alignment& a = d.alignment;
    if (d.kind == Accumulation::aligned)
      fmt::print(line, d.name, a.terms, a.group, a.fraction_bits, a.e_zero, name_of(a.output),
                 d.source);
    else
      fmt::print(line, d.name, "", "", "", "", "rne", d.source);
  }
  fmt::print(
      "\nterms: products of one step; group: of these, summed exactly before they are aligned; "
      "fraction: bits kept below the largest exponent;\ne_zero: exponent of a term that is zero; "
      "output: how a step's sum becomes binary32: rne to nearest, rz toward zero, rz13 toward zero "
      "with 13 fraction bits.\nSteps of `terms` products go on across blocks, and a product brings "
      "its own block's scales. "
      "No datapath of this table flushes subnormal results to zero.\nAny other by description: "
      "--datapath '{{\"kind\":\"aligned\",\"terms\":32,\"group\":1,\"fraction_bits\":25,"
      "\"e_zero\":-133,\"output\":\"rz\"}}';\nkind fused, blockwise, sequential, exact or aligned; "
      "any takes \"ftz\": true. Limits: terms 1 to 1024, a multiple of group; fraction_bits 1 to "
      "44; e_zero -1024 to 1024\n");
}

ordered_json to_json(const Datapath& d) {
  ordered_json row{{"datapath", d.name}, {"source", d.source}, {"ftz", d.ftz}};
  if (d.kind != Accumulation::aligned) return row;
  row["terms"] = d.alignment.terms;
  row["group"] = d.alignment.group;
  row["fraction_bits"] = d.alignment.fraction_bits;
  row["e_zero"] = d.alignment.e_zero;
  row["output"] = name_of(d.alignment.output);
  return row;
}

ordered_json to_json(const BlockFormat& format) {
  const ElementFormat& f = *format.element;
  ordered_json values = ordered_json::array();
  for (uint32_t code = 0; code < code_count(f); ++code)
    values.push_back(special_text(f, code).empty() ? ordered_json(value(f, code))
                                                   : ordered_json(special_text(f, code)));
  return {{"format", format.name},
          {"element", f.name},
          {"scale", format.scale->name},
          {"block", format.block},
          {"bits", f.bits()},
          {"bias", f.bias},
          {"emax", f.emax()},
          {"max", value(f, f.max_code())},
          {"min_normal", value(f, 1u << f.mantissa_bits)},
          {"min_subnormal", value(f, 1)},
          {"inf_codes", codes_that(is_inf, f)},
          {"nan_codes", codes_that(is_nan, f)},
          {"values", values}};
}

int formats_command(const FormatsSettings& options) {
  Record record("formats");
  if (options.datapaths) {
    print_datapaths();
    for (const Datapath& d : datapaths) record.add(to_json(d));
  } else {
    std::vector<const BlockFormat*> formats;
    for (const BlockFormat& f : block_formats)
      if (!options.format || options.format == &f) formats.push_back(&f);
    print_limits(formats);
    for (const BlockFormat* f : formats) {
      print_codes(*f);
      record.add(to_json(*f));
    }
  }
  record.write(options.json);
  return exit_good;
}

}  // namespace

Action define_formats(CLI::App& app, const Context&) {
  auto o = std::make_shared<FormatsSettings>();
  add_named(app, "--format", o->format, block_formats, "format", "this format alone");
  app.add_flag("--datapaths", o->datapaths, "list the datapaths instead");
  add_json(app, o->json);
  return [o] { return formats_command(*o); };
}

}  // namespace mxref
