#pragma once
// A conversion of binary32 to a block format that somebody's simulator computed.

#include <functional>
#include <span>

#include "emu/audit/case.h"
#include "emu/block.h"

namespace mxref {

struct ConversionInput {
  Conversion conversion;
  std::vector<int64_t> shape;  // (…, K)
  std::vector<float> x;
};

class ConversionCase : public AuditCase {
 public:
  // The answer has the input's shape and conversion.
  ConversionCase(ConversionInput input, MxTensor answer);
  const ConversionInput& input() const { return input_; }
  const MxTensor& answer() const { return answer_; }
  // The values of a unit: one block, or all where it is a tensor scale.
  std::span<const float> values(int64_t index) const;

  // The input and the answer of a unit alone, as one row.
  ConversionInput unit_input(int64_t index) const;
  MxTensor unit_answer(int64_t index) const;

  // Blocks, then tensor scales.
  int64_t units() const override { return blocks() + int64_t(answer_.tensor_scales.size()); }
  AuditUnit unit(int64_t index) const override;
  std::vector<Hypothesis> hypotheses() const override;
  std::vector<bool> gives(size_t hypothesis, int64_t index) const override;
  std::optional<DifferenceClass> plain_class(const AuditUnit& unit, size_t place) const override;
  DifferenceClass remaining_class(const AuditUnit& unit, size_t place) const override;
  std::optional<double> error_ulp(const AuditUnit& unit, size_t place) const override;
  int64_t input_size(int64_t index) const override;  // values that are not zero

 private:
  int64_t blocks() const { return int64_t(answer_.scales.size()); }
  size_t first_of(int64_t block) const;  // element

  ConversionInput input_;
  MxTensor answer_, expected_;
};

// One block of a conversion, as hypotheses see it: scale and codes, of the definition and got.
struct CodedBlock {
  uint8_t scale = 0;
  std::vector<uint8_t> codes;
  bool operator==(const CodedBlock&) const = default;
};
struct ConversionBlock {
  const Conversion& conversion;
  std::span<const float> x;
  uint64_t first_element;  // row-major index in the tensor
  float tensor_scale;
  CodedBlock expected, got;
};
struct ConversionHypothesis {
  Hypothesis hypothesis;
  // What it makes of the block; nothing where it says nothing about it. `got` may be looked at to
  // choose between what it leaves open.
  std::function<std::optional<CodedBlock>(const ConversionBlock& block)> codes;
};
const std::vector<ConversionHypothesis>& conversion_hypotheses();

}  // namespace mxref
