#include "golden/bindings/arguments.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "emu/binary32.h"
#include "emu/quantize.h"

namespace mxref::bindings {
namespace {

std::string_view view(Word word) { return {word.data(), word.size()}; }

// "2, 3, 37"
std::string shown(at::IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

int block_of(const BlockFormat& format, OptionalNumber block) {
  if (!block) return format.block;
  const bool fits = *block > 0 && *block <= 1024;  // an int; which lengths there are, is said here:
  if (!fits || !is_block_length(format, int(*block)))
    throw UsageError("block length " + std::to_string(*block) + " is none of " +
                     block_length_list(format) + ", which " + std::string(format.name) + " has");
  return int(*block);
}

uint64_t seed_of(std::string_view text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw UsageError("seed '" + std::string(text) + "' is no number from 0 to 2^64-1");
  return seed;
}

[[noreturn]] void refuse(const std::string& name, const at::Tensor& got,
                         const std::string& expected) {
  throw UsageError("'" + name + "' is " + std::string(at::toString(got.scalar_type())) + " " +
                   shown(got.sizes()) + "; expected " + expected);
}

void check_bytes(const std::string& name, const at::Tensor& bytes, at::IntArrayRef shape) {
  if (bytes.scalar_type() != at::kByte || bytes.sizes() != shape)
    refuse(name, bytes, "uint8 " + shown(shape));
}

std::vector<uint8_t> bytes_of(const at::Tensor& bytes) {
  const at::Tensor contiguous = bytes.contiguous();
  const auto* data = contiguous.data_ptr<uint8_t>();
  return {data, data + contiguous.numel()};
}

// g of each row or of all of them.
std::vector<float> tensor_scales_of(const std::string& name, const at::Tensor& scales) {
  const at::Tensor contiguous = scales.contiguous();
  const auto* data = contiguous.data_ptr<float>();
  std::vector<float> values(data, data + contiguous.numel());
  for (const float g : values) {  // its bits: no state of the machine takes a subnormal g for zero
    const auto bits = std::bit_cast<uint32_t>(g);
    if (bits == 0 || bits >= binary32::infinity)
      throw UsageError("'" + name + "' holds " + std::to_string(g) +
                       "; expected finite numbers above zero");
  }
  return values;
}

void check_tensor_scale(const OperandTensors& operand, const BlockFormat& format) {
  const std::string name = std::string(operand.name) + "tensor_scale";
  const bool given = operand.tensor_scale && operand.tensor_scale->numel() > 0;
  if (!format.has_tensor_scale()) {
    if (given) throw UsageError("'" + name + "': " + std::string(format.name) + " has none");
    return;
  }
  const int64_t rows = rows_of(operand.codes.sizes());
  const std::string expected = "float32 (1) or (" + std::to_string(rows) + ")";
  if (!given) throw UsageError("'" + name + "' is missing; expected " + expected);
  const at::Tensor& scales = *operand.tensor_scale;
  if (scales.scalar_type() != at::kFloat || scales.dim() != 1 ||
      (scales.numel() != 1 && scales.numel() != rows))
    refuse(name, scales, expected);
}

}  // namespace

Conversion conversion_of(const ConversionWords& words) {
  const BlockFormat& format = block_format(view(words.format));
  if (format.has_tensor_scale() && words.scale_rule)
    throw UsageError("scale_rule does not apply to " + std::string(format.name));
  if (!format.has_tensor_scale() && words.tensor_scale)
    throw UsageError("tensor_scale does not apply to " + std::string(format.name));
  const std::string_view by = words.tensor_scale ? view(*words.tensor_scale) : "tensor";
  if (by != "tensor" && by != "row")
    throw UsageError(unknown_name("tensor scale", by, {"tensor", "row"}));
  const Conversion conversion{
      .format = &format,
      .rule = words.scale_rule ? &scale_rule(view(*words.scale_rule)) : &scale_rules[0],
      .rounding = &rounding(view(words.rounding)),
      .prescale = parse_prescale(view(words.prescale)),
      .block = block_of(format, words.block),
      .relabel = words.relabel,
      .seed = seed_of(view(words.seed)),
      .scale_by_row = by == "row"};
  check_conversion(conversion);
  return conversion;
}

Conversion check_operand(const OperandTensors& operand) {
  const BlockFormat& format = block_format(view(operand.format));
  const Conversion conversion{.format = &format,
                              .prescale = parse_prescale(view(operand.prescale)),
                              .block = block_of(format, operand.block)};
  check_conversion(conversion);
  const std::string name(operand.name);
  const at::IntArrayRef shape = operand.codes.sizes();
  if (operand.codes.scalar_type() != at::kByte || shape.empty() || operand.codes.numel() == 0)
    refuse(name + "codes", operand.codes, "uint8 (…, K) of at least one element");
  check_bytes(name + "scales", operand.scales,
              with_last(shape, blocks_per_row(shape.back(), conversion.block)));
  check_tensor_scale(operand, format);
  return conversion;
}

MxTensor operand_of(const OperandTensors& operand) {
  MxTensor q{check_operand(operand), operand.codes.sizes().vec(), bytes_of(operand.codes),
             bytes_of(operand.scales)};
  const std::string name(operand.name);
  for (const uint8_t code : q.codes)
    if (code >> q.element().bits())
      throw UsageError("'" + name + "codes' holds " + std::to_string(code) + "; " +
                       std::string(q.format().name) + " has codes of " +
                       std::to_string(q.element().bits()) + " bits");
  if (q.format().has_tensor_scale()) {
    q.tensor_scales = tensor_scales_of(name + "tensor_scale", *operand.tensor_scale);
    q.conversion.scale_by_row = q.tensor_scales.size() > 1;
  }
  return q;
}

void check_values(std::string_view name, const at::Tensor& x) {
  const at::ScalarType type = x.scalar_type();
  const bool is_float = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  if (!is_float || x.dim() == 0 || x.numel() == 0)
    refuse(std::string(name), x, "float32, float16 or bfloat16 (…, K) of at least one element");
}

std::vector<float> values_of(std::string_view name, const at::Tensor& x) {
  check_values(name, x);
  const at::Tensor values = x.to(at::kFloat).contiguous();
  const auto* data = values.data_ptr<float>();
  return {data, data + values.numel()};
}

int64_t blocks_per_row(int64_t K, int64_t block) { return (K + block - 1) / block; }

int64_t rows_of(at::IntArrayRef shape) {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

at::DimVector with_last(at::IntArrayRef shape, int64_t last) {
  at::DimVector result(shape.begin(), shape.end());
  result.back() = last;
  return result;
}

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  at::Tensor x = at::empty(shape, at::kFloat);
  std::ranges::copy(values, x.data_ptr<float>());
  return x;
}

at::Tensor tensor_of(const std::vector<uint8_t>& bytes, at::IntArrayRef shape) {
  at::Tensor x = at::empty(shape, at::kByte);
  std::ranges::copy(bytes, x.data_ptr<uint8_t>());
  return x;
}

}  // namespace mxref::bindings
