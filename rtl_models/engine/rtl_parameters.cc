#include "rtl_models/engine/rtl_parameters.h"

#include <algorithm>

#include "emu/error.h"

namespace mxref {

// The longest block of a set.
static int longest(const FormatSet& set) {
  int lanes = 0;
  for (const BlockFormat& format : block_formats)
    if (set[format_number(format)]) lanes = std::max(lanes, format.block);
  return lanes;
}

std::vector<std::string> rtl_parameters(const ArrayDesign& design) {
  for (const BlockFormat& a : block_formats) {
    if (!design.formats_a[format_number(a)]) continue;
    const bool meets = std::ranges::any_of(block_formats, [&](const BlockFormat& b) {
      return design.formats_b[format_number(b)] && a.scale == b.scale;
    });
    if (!meets)
      throw UsageError("no format of b meets " + std::string(a.name) + ", whose scales are " +
                       std::string(a.scale->name));
  }
  if (longest(design.formats_a) != longest(design.formats_b))
    throw UsageError("the longest blocks of a and of b differ");
  const Datapath& datapath = *design.datapath;
  const auto set = [](const FormatSet& formats) {
    return std::to_string(formats.size()) + "'b" + formats.to_string();
  };
  std::vector<std::string> parameters{"ROWS=" + std::to_string(design.shape.rows),
                                      "COLS=" + std::to_string(design.shape.cols),
                                      "A_FORMATS=" + set(design.formats_a),
                                      "B_FORMATS=" + set(design.formats_b),
                                      "DATAPATH=" + std::to_string(int(datapath.kind)),
                                      std::string("FTZ=1'b") + (datapath.ftz ? "1" : "0")};
  if (datapath.kind != Accumulation::aligned) return parameters;
  const auto& [terms, group, fraction_bits, e_zero, output] = datapath.alignment;
  const int lanes = longest(design.formats_a);
  if (terms % lanes != 0 && lanes % terms != 0)
    throw UsageError(std::to_string(terms) + " terms: the RTL takes what divides " +
                     std::to_string(lanes) + " or is a multiple of it");
  const std::pair<const char*, int> of_alignment[] = {{"TERMS", terms},
                                                      {"GROUP", group},
                                                      {"FRACTION_BITS", fraction_bits},
                                                      {"E_ZERO", e_zero},
                                                      {"ROUNDING", int(output)}};
  for (const auto& [name, value] : of_alignment)
    parameters.push_back(std::string(name) + "=" + std::to_string(value));
  return parameters;
}

}  // namespace mxref
