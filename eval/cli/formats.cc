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

struct Options {
  const BlockFormat* format = nullptr;
  bool datapaths = false;
  std::filesystem::path json;
};

// Exact: an element's value has few significant bits.
double value(const ElementFormat& f, uint32_t code) {
  const double magnitude =
      std::ldexp(double(f.magnitude_units(code & f.magnitude_mask())), f.unit_log2());
  return is_negative(f, code) ? -magnitude : magnitude;
}

std::string value_text(const ElementFormat& f, uint32_t code) {
  return is_nan(f, code) ? "NaN" : fmt::format("{}", value(f, code));
}

uint32_t code_count(const ElementFormat& f) { return 1u << f.bits(); }

std::vector<uint32_t> nan_codes(const ElementFormat& f) {
  std::vector<uint32_t> codes;
  for (uint32_t code = 0; code < code_count(f); ++code)
    if (is_nan(f, code)) codes.push_back(code);
  return codes;
}

std::string bit_layout(const ElementFormat& f) {
  return "S " + std::string(size_t(f.exponent_bits), 'E') + " " +
         std::string(size_t(f.mantissa_bits), 'M');
}

void print_limits(const std::vector<const BlockFormat*>& formats) {
  constexpr const char* line = "{:<12} {:<8} {:>4}  {:<10} {:>4} {:>4} {:>8} {:>11} {:>13}  {}\n";
  fmt::print(line, "format", "element", "bits", "code", "bias", "emax", "max", "min normal",
             "min subnormal", "NaN codes");
  for (const BlockFormat* format : formats) {
    const ElementFormat& f = *format->element;
    std::string nans;
    for (uint32_t code : nan_codes(f))
      nans += fmt::format("{}0x{:02X}", nans.empty() ? "" : " ", code);
    fmt::print(line, format->name, f.name, f.bits(), bit_layout(f), f.bias, f.emax(),
               value(f, f.max_code()), value(f, 1u << f.mantissa_bits), value(f, 1),
               nans.empty() ? "none" : nans);
  }
  fmt::print(
      "\nblocks of {} elements along the last dimension share one scale; lengths that a tensor may "
      "have: {}\nscale e8m0: 2^(code - {}), from 2^{} (code 0x00) to 2^{} (code 0x{:02X}); "
      "0x{:02X} = NaN; no zero, no sign\n",
      formats.front()->block, block_length_list(), e8m0::bias, e8m0::min_log2, e8m0::max_log2,
      e8m0::encode_sat(e8m0::max_log2), e8m0::nan);
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

void print_datapaths() {
  for (const Datapath& d : datapaths) fmt::print("{:<20} {}\n", d.name, d.source);
}

ordered_json to_json(const BlockFormat& format) {
  const ElementFormat& f = *format.element;
  ordered_json values = ordered_json::array();
  for (uint32_t code = 0; code < code_count(f); ++code)
    values.push_back(is_nan(f, code) ? ordered_json("NaN") : ordered_json(value(f, code)));
  return {{"format", format.name},
          {"element", f.name},
          {"block", format.block},
          {"bits", f.bits()},
          {"bias", f.bias},
          {"emax", f.emax()},
          {"max", value(f, f.max_code())},
          {"min_normal", value(f, 1u << f.mantissa_bits)},
          {"min_subnormal", value(f, 1)},
          {"nan_codes", nan_codes(f)},
          {"values", values}};
}

int run(const Options& options) {
  Record record("formats");
  if (options.datapaths) {
    print_datapaths();
    for (const Datapath& d : datapaths) record.add({{"datapath", d.name}, {"source", d.source}});
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
  auto o = std::make_shared<Options>();
  add_named(app, "--format", o->format, block_formats, "format", "this format alone");
  app.add_flag("--datapaths", o->datapaths, "list the datapaths instead");
  add_json(app, o->json);
  return [o] { return run(*o); };
}

}  // namespace mxref
