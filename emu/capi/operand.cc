#include "emu/capi/operand.h"

#include <algorithm>
#include <limits>

#include "emu/quantize.h"

namespace mxref {
namespace {

void require(bool holds, const std::string& otherwise) {
  if (!holds) throw UsageError("operand: " + otherwise);
}

Conversion conversion_of(const mxref_operand& operand) {
  require(operand.format, "format is null");
  Conversion conversion{.format = &block_format(operand.format)};
  conversion.block = operand.block;
  conversion.prescale = parse_prescale(std::to_string(operand.prescale_numerator) +
                                       (operand.prescale_denominator == 1
                                            ? ""
                                            : "/" + std::to_string(operand.prescale_denominator)));
  conversion.relabel = operand.relabel != 0;
  conversion.scale_by_row = operand.tensor_scale_count > 1;
  check_conversion(conversion);
  return conversion;
}

std::vector<float> tensor_scales_of(const mxref_operand& operand, const BlockFormat& format) {
  const int64_t count = operand.tensor_scale_count;
  if (!format.has_tensor_scale()) {
    require(count == 0, "tensor scales mean nothing in " + std::string(format.name));
    return {};
  }
  require(operand.tensor_scales && (count == 1 || count == operand.rows),
          std::string(format.name) + " has one tensor scale, or one a row; given: " +
              (operand.tensor_scales ? std::to_string(count) : "none"));
  std::vector<float> scales(operand.tensor_scales, operand.tensor_scales + count);
  for (float g : scales)
    require(g > 0 && g <= std::numeric_limits<float>::max(),
            "a tensor scale is " + std::to_string(g) + "; expected numbers finite and above 0");
  return scales;
}

}  // namespace

void check_shape(int64_t rows, int64_t cols) {
  if (rows < 1 || cols < 1 || cols > std::numeric_limits<int64_t>::max() / rows)
    throw UsageError("shape (" + std::to_string(rows) + ", " + std::to_string(cols) +
                     "); expected rows and columns above 0");
}

void check_codes(const ElementFormat& element, std::span<const uint8_t> codes) {
  const auto above = std::ranges::find_if(codes, [&](uint8_t c) { return c >> element.bits(); });
  if (above != codes.end())
    throw UsageError("code " + std::to_string(above - codes.begin()) + " is " +
                     std::to_string(*above) + ", above the " + std::to_string(element.bits()) +
                     " bits of " + std::string(element.name));
}

mxref_operand operand_of(const MxTensor& tensor) {
  const Conversion& c = tensor.conversion;
  return {.format = tensor.format().name.data(),  // a literal
          .rows = tensor.rows(),
          .cols = tensor.cols(),
          .block = tensor.block(),
          .codes = tensor.codes.data(),
          .scales = tensor.scales.data(),
          .tensor_scales = tensor.tensor_scales.empty() ? nullptr : tensor.tensor_scales.data(),
          .tensor_scale_count = int64_t(tensor.tensor_scales.size()),
          .prescale_numerator = c.prescale.numerator,
          .prescale_denominator = c.prescale.denominator,
          .relabel = c.relabel};
}

MxTensor tensor_of(const mxref_operand& operand) {
  MxTensor tensor{conversion_of(operand), {operand.rows, operand.cols}, {}, {}};
  check_shape(operand.rows, operand.cols);
  require(operand.codes && operand.scales, "codes or scales are null");
  tensor.codes.assign(operand.codes, operand.codes + operand.rows * operand.cols);
  tensor.scales.assign(operand.scales, operand.scales + operand.rows * tensor.blocks_per_row());
  tensor.tensor_scales = tensor_scales_of(operand, tensor.format());
  check_codes(tensor.element(), tensor.codes);
  return tensor;
}

}  // namespace mxref
