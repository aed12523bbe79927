#pragma once
// The arguments of the ops (words of the command line, tensors of torch) as emu takes them. Every
// function throws UsageError that names the argument and says what was expected.

#include <ATen/core/Tensor.h>
#include <c10/util/Optional.h>
#include <c10/util/string_view.h>

#include "emu/block.h"

namespace mxref::bindings {

using Word = c10::string_view;
using OptionalWord = c10::optional<c10::string_view>;
using OptionalTensor = c10::optional<at::Tensor>;
using OptionalNumber = c10::optional<int64_t>;

// The options of `mxref quantize`; what is not given is as there.
struct ConversionWords {
  Word format;
  OptionalWord scale_rule;
  Word rounding, prescale;
  OptionalNumber block;
  Word seed;
  bool relabel;
  OptionalWord tensor_scale;
};
Conversion conversion_of(const ConversionWords& words);

// A quantized operand: codes (…,K) and scales (…,ceil(K/block)) uint8, tensor_scale float32 of 1 or
// of as many as rows where the format has one, else none or empty.
struct OperandTensors {
  std::string_view name;  // before the names of its arguments: "a_", "weight_" or nothing
  const at::Tensor &codes, &scales;
  const OptionalTensor& tensor_scale;
  Word format, prescale;
  OptionalNumber block;
};
// Format, types and shapes alone: what tensors without data can show.
Conversion check_operand(const OperandTensors& operand);
MxTensor operand_of(const OperandTensors& operand);

// x (…,K) float32, float16 or bfloat16, at least one element.
void check_values(std::string_view name, const at::Tensor& x);
std::vector<float> values_of(std::string_view name, const at::Tensor& x);

int64_t blocks_per_row(int64_t K, int64_t block);
int64_t rows_of(at::IntArrayRef shape);  // the product of the leading dimensions
at::DimVector with_last(at::IntArrayRef shape, int64_t last);

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape);
at::Tensor tensor_of(const std::vector<uint8_t>& bytes, at::IntArrayRef shape);

}  // namespace mxref::bindings
