// Prints mx_pkg.sv, made from the rows of emu/formats.h and of the faults in rtl_models/rtl.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <utility>

#include "emu/block.h"
#include "emu/datapaths.h"
#include "emu/formats.h"
#include "emu/scale_rules.h"
#include "rtl_models/rtl/faults.h"
#include "rtl_models/rtl/quantize_faults.h"

namespace mxref {
namespace {

// Bits that hold a number of 0 … max.
int bits_for(uint64_t max) { return std::max(1, int(std::bit_width(max))); }

// "decode_subnormal" → "DecodeSubnormal"
std::string camel(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char ch : name) {
    if (ch != '_') out += char(upper ? std::toupper(ch) : ch);
    upper = ch == '_';
  }
  return out;
}

void constant(std::ostream& out, std::string_view name, uint64_t value, std::string_view why) {
  out << "  // " << why << "\n  localparam int " << name << " = " << value << ";\n";
}

// One packed constant with a byte for each format, row 0 in the lowest.
void column(std::ostream& out, std::string_view name, std::string_view why,
            const std::function<int(const BlockFormat&)>& f) {
  out << "  // " << why << "\n  localparam logic [NumFormats*8-1:0] " << name << " =\n      {";
  for (size_t i = block_formats.size(); i-- > 0;) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "8'h%02x", unsigned(f(block_formats[i])) & 0xFF);
    out << byte << (i ? ", " : "};\n");
  }
}
void element_column(std::ostream& out, std::string_view name, std::string_view why,
                    const std::function<int(const ElementFormat&)>& f) {
  column(out, name, why, [&](const BlockFormat& row) { return f(*row.element); });
}

int significand_bits(const ElementFormat& f) {
  return f.sign == Sign::twos_complement ? f.magnitude_units_bits() : f.mantissa_bits + 1;
}

void formats(std::ostream& out) {
  out << "  // The number of a format is its row, and its bit in a set of formats.\n";
  for (size_t i = 0; i < block_formats.size(); ++i)
    out << "  //   " << i << "  " << block_formats[i].name << " (" << block_formats[i].element->name
        << ")\n";
  constant(out, "NumFormats", block_formats.size(), "Rows of the table.");
  constant(out, "FormatBits", uint64_t(bits_for(block_formats.size() - 1)), "A format's number.");
  constant(out, "CodeBits", 8, "A code travels in a byte; bits above the format's are ignored.");
  column(out, "BlockLength", "Elements that share a scale; row f at [f*8 +: 8], as all columns.",
         [](const BlockFormat& f) { return f.block; });
  column(out, "Ue4m3Scale", "1 where the scale is ue4m3, not e8m0.",
         [](const BlockFormat& f) { return f.has_tensor_scale(); });
  element_column(out, "ExponentBits", "Field E of a code S E M.",
                 [](auto& f) { return f.exponent_bits; });
  element_column(out, "MantissaBits", "Field M.", [](auto& f) { return f.mantissa_bits; });
  element_column(out, "TwosComplement", "1 where S E M is one number of two's complement.",
                 [](auto& f) { return f.sign == Sign::twos_complement; });
  element_column(out, "NanAllOnes", "1 where a code with E and M all ones is NaN.",
                 [](auto& f) { return f.specials == Specials::nan_all_ones; });
  element_column(out, "InfAndNan", "1 where a code with E all ones is Inf, with M = 0, or NaN.",
                 [](auto& f) { return f.has_inf(); });
  element_column(out, "UnitLog2", "log2 of the unit: values are multiples of it (signed byte).",
                 [](auto& f) { return f.unit_log2(); });
  element_column(out, "SignificandBits", "Of 1.M or 0.M as an integer, or of a whole magnitude.",
                 significand_bits);
  element_column(out, "MaxShift", "Binary places of a significand above the unit, at most.",
                 [](auto& f) { return f.magnitude_units_bits() - significand_bits(f); });
  element_column(out, "Emin", "Exponent of the least normal number (signed byte).",
                 [](auto& f) { return f.emin(); });
  element_column(out, "Emax", "Exponent of the largest number (signed byte).",
                 [](auto& f) { return f.emax(); });
  element_column(out, "MaxCode", "The largest number's code E M: conversions saturate to it.",
                 [](auto& f) { return int(f.max_code()); });
  column(out, "NanScale", "The scale code of a block that holds a NaN.",
         [](const BlockFormat& f) { return f.scale->nan; });
}

// A set of formats, a bit for each, written out: yosys 0.23 takes '1 for the number 1.
void set(std::ostream& out, std::string_view name, std::string_view why,
         const std::function<bool(const BlockFormat&)>& has) {
  out << "  // " << why << "\n  localparam logic [NumFormats-1:0] " << name << " = "
      << block_formats.size() << "'b";
  for (size_t i = block_formats.size(); i-- > 0;) out << (has(block_formats[i]) ? '1' : '0');
  out << ";\n";
}
void sets(std::ostream& out) {
  set(out, "AllFormats", "Every format.", [](const BlockFormat&) { return true; });
  set(out, "Ue4m3Numbers", "The formats whose elements, without sign, are the numbers of ue4m3.",
      [](const BlockFormat& f) { return f.element == ue4m3_scale.number; });
  set(out, "TensorScaled", "The formats with a tensor scale above those of the blocks.",
      [](const BlockFormat& f) { return f.has_tensor_scale(); });
}

// Numbers of the rows of emu/datapaths.h that parameters choose.
void datapath_numbers(std::ostream& out) {
  constexpr std::pair<std::string_view, Accumulation> kinds[] = {
      {"Fused", Accumulation::fused},
      {"Blockwise", Accumulation::blockwise},
      {"Sequential", Accumulation::sequential},
      {"Exact", Accumulation::exact},
      {"Aligned", Accumulation::aligned}};
  out << "\n  // --- datapaths (emu/datapaths.h), and how the sum of an aligned step is rounded\n";
  for (const auto& [name, kind] : kinds)
    out << "  localparam int " << name << " = " << int(kind) << ";\n";
  for (const SumRoundingName& row : sum_roundings)
    out << "  localparam int " << camel(row.name) << " = " << int(row.rounding) << ";\n";
}

// Numbers of the rows of emu/scale_rules.h and emu/codec.h that ports choose.
void conversion_numbers(std::ostream& out) {
  const auto numbers = [&](std::string_view prefix, std::string_view bits, const auto& rows) {
    constant(out, bits, uint64_t(bits_for(rows.size() - 1)), "Its number.");
    for (size_t i = 0; i < rows.size(); ++i)
      out << "  localparam logic [" << bits << "-1:0] " << prefix << camel(rows[i].name) << " = "
          << i << ";\n";
  };
  out << "\n  // --- scale rule of a conversion\n";
  numbers("Rule", "RuleBits", scale_rules);
  out << "\n  // --- rounding of a conversion\n";
  numbers("Round", "RoundBits", roundings);
}

void widths(std::ostream& out) {
  // The exponents of a scaled sum's lowest and highest bit, biased as binary32's.
  int lowest_unit = 0, highest_bit = 0;
  for (const BlockFormat& row : block_formats) {
    const ElementFormat& f = *row.element;
    lowest_unit = std::min(lowest_unit, f.unit_log2());
    highest_bit = std::max(highest_bit, f.unit_log2() + f.magnitude_units_bits());
  }
  const int longest = *std::ranges::max_element(block_lengths);
  const int lowest = 2 * e8m0::min_log2 + 2 * lowest_unit + e8m0::bias;
  const int highest = 2 * e8m0::max_log2 + 2 * highest_bit + bits_for(longest - 1) + e8m0::bias;
  out << "\n  // --- widths of the datapath\n";
  constant(out, "ExponentWidth", uint64_t(bits_for(uint64_t(std::max(highest, -lowest)))) + 1,
           "Biased exponent of a bit of a scaled sum, signed: " + std::to_string(lowest) + " to " +
               std::to_string(highest) + " at most.");
}

// One constant for each row of a table of faults.
void fault_numbers(std::ostream& out, std::string_view prefix, std::string_view file,
                   const auto& rows) {
  const std::string bits = std::string(prefix) + "Bits";
  out << "\n  // --- planted faults (" << file << ")\n";
  constant(out, bits, uint64_t(bits_for(rows.size())), "A fault's number; 0 is none.");
  for (size_t i = 0; i < rows.size(); ++i)
    out << "  // " << rows[i].part << ": " << rows[i].what << "\n  localparam logic [" << bits
        << "-1:0] " << prefix << camel(rows[i].name) << " = " << i + 1 << ";\n";
}

}  // namespace
}  // namespace mxref

int main() {
  std::cout << "// Generated by mx_pkg_generate from the rows of emu and of the faults in "
               "rtl_models/rtl; do not edit.\n"
               "// A design reads some of it alone.\n"
               "/* verilator lint_off UNUSEDPARAM */\n"
               "package mx_pkg;\n";
  mxref::formats(std::cout);
  mxref::sets(std::cout);
  mxref::datapath_numbers(std::cout);
  mxref::conversion_numbers(std::cout);
  mxref::widths(std::cout);
  mxref::fault_numbers(std::cout, "Fault", "faults.h", mxref::faults);
  mxref::fault_numbers(std::cout, "QuantizeFault", "quantize_faults.h", mxref::quantize_faults);
  std::cout << "endpackage\n/* verilator lint_on UNUSEDPARAM */\n";
}
