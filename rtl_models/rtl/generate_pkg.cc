// Prints mx_pkg.sv, made from the rows of emu/formats.h and rtl_models/rtl/faults.h.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>

#include "emu/array_port.h"
#include "emu/formats.h"
#include "rtl_models/rtl/faults.h"

namespace mxref {
namespace {

// Bits that hold a number of 0 … max.
int bits_for(uint64_t max) { return std::max(1, int(std::bit_width(max))); }

// The largest f(row) over the formats.
uint64_t largest(const std::function<uint64_t(const ElementFormat&)>& f) {
  uint64_t max = 0;
  for (const BlockFormat* row : array_formats) max = std::max(max, f(*row->element));
  return max;
}

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
            const std::function<int(const ElementFormat&)>& f) {
  out << "  // " << why << "\n  localparam logic [NumFormats*8-1:0] " << name << " = {";
  for (size_t i = array_formats.size(); i-- > 0;) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "8'h%02x", unsigned(f(*array_formats[i]->element)) & 0xFF);
    out << byte << (i ? ", " : "};\n");
  }
}

void formats(std::ostream& out) {
  out << "  // Element formats: the number of a format is its row.\n";
  for (size_t i = 0; i < array_formats.size(); ++i)
    out << "  //   " << i << "  " << array_formats[i]->name << " ("
        << array_formats[i]->element->name << ")\n";
  constant(out, "NumFormats", array_formats.size(), "Rows of the table.");
  constant(out, "FormatBits", uint64_t(bits_for(array_formats.size() - 1)), "A format's number.");
  constant(out, "CodeBits", 8, "A code travels in a byte; bits above the format's are ignored.");
  constant(out, "Block", array_block, "Elements that share a scale: the lanes of a block sum.");
  column(out, "ExponentBits", "Field E of a code S E M; row f at [f*8 +: 8], as all columns.",
         [](const ElementFormat& f) { return f.exponent_bits; });
  column(out, "MantissaBits", "Field M.", [](const ElementFormat& f) { return f.mantissa_bits; });
  column(out, "NanAllOnes", "1 where a code with E and M all ones is NaN.",
         [](const ElementFormat& f) { return f.specials == Specials::nan_all_ones; });
  column(out, "UnitLog2", "log2 of the unit: values are integer multiples of it (signed byte).",
         [](const ElementFormat& f) { return f.unit_log2(); });
}

void widths(std::ostream& out) {
  const auto significand = largest([](auto& f) { return uint64_t(2) << f.mantissa_bits; }) - 1;
  const auto shift = largest([](auto& f) { return (f.max_code() >> f.mantissa_bits) - 1; });
  const auto units = largest([](auto& f) { return f.magnitude_units(f.max_code()); });
  const auto product_bits = std::bit_width(units * units);
  const auto sum_bits = std::bit_width(units * units * array_block);
  out << "\n  // Widths of the datapath.\n";
  constant(out, "SignificandBits", uint64_t(bits_for(significand)),
           "1.M or 0.M as an integer: at most " + std::to_string(significand) + ".");
  constant(out, "ShiftBits", uint64_t(bits_for(shift)),
           "A significand's place above the unit: at most " + std::to_string(shift) + ".");
  constant(out, "ProductShiftBits", uint64_t(bits_for(2 * shift)), "The sum of two of them.");
  constant(out, "ProductBits", uint64_t(product_bits),
           "The largest product: " + std::to_string(units) + "^2 units.");
  constant(out, "SumBits", uint64_t(sum_bits) + 1, "Block of those in two's complement.");
  constant(out, "TermBits", uint64_t(sum_bits), "Its magnitude.");
  // Biased exponent of a scaled sum's leading bit: scales ±254, units, places in the sum, bias 127.
  const auto lowest_unit = largest([](auto& f) { return uint64_t(-f.unit_log2()); });
  const auto highest = uint64_t(254 + sum_bits - 1 + 127);  // units are at most 1
  const auto lowest = 254 + 2 * lowest_unit - 127;
  constant(out, "ExponentWidth", uint64_t(bits_for(std::max(highest, lowest))) + 1,
           "Biased exponent of a scaled sum, signed: -" + std::to_string(lowest) + " to " +
               std::to_string(highest) + " at most.");
}

void fault_numbers(std::ostream& out) {
  out << "\n  // Planted faults (faults.h).\n";
  constant(out, "FaultBits", uint64_t(bits_for(faults.size())), "A fault's number; 0 is none.");
  for (size_t i = 0; i < faults.size(); ++i)
    out << "  // " << faults[i].part << ": " << faults[i].what
        << "\n  localparam logic [FaultBits-1:0] Fault" << camel(faults[i].name) << " = " << i + 1
        << ";\n";
}

}  // namespace
}  // namespace mxref

int main() {
  std::cout << "// Generated by mx_pkg_generate from emu/formats.h and rtl_models/rtl/faults.h; do "
               "not edit.\n"
               "package mx_pkg;\n";
  mxref::formats(std::cout);
  mxref::widths(std::cout);
  mxref::fault_numbers(std::cout);
  std::cout << "endpackage\n";
}
