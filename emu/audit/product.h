#pragma once
// A product that somebody's simulator computed.

#include <functional>
#include <span>

#include "emu/audit/case.h"
#include "emu/block.h"
#include "emu/dot.h"
#include "emu/files/safetensors.h"
#include "emu/gemm.h"

namespace mxref {

struct ProductInput {
  MxTensor a, b;         // (M,K), (N,K)
  std::vector<float> c;  // (M,N) or empty
};
struct ProductAnswer {
  DType type = DType::F32;  // F32, BF16 or F16
  std::vector<uint32_t> d;  // (M,N), bits of that type
};
// Bits of binary32 as an answer of this type has them.
uint32_t to_answer(DType type, uint32_t binary32_bits);
// The other way, exactly.
uint32_t from_answer(DType type, uint32_t bits);

// What the definition answers.
ProductAnswer define_product(const ProductInput& input, const Datapath& datapath,
                             DType type = DType::F32);

// The product of these rows alone, for instance of one row of a and one of b.
ProductInput rows_of(const ProductInput& input, int64_t m, int64_t n);

class ProductCase : public AuditCase {
 public:
  ProductCase(ProductInput input, ProductAnswer answer, const Datapath& datapath);
  const ProductInput& input() const { return input_; }
  const ProductAnswer& answer() const { return answer_; }
  const Datapath& datapath() const { return *datapath_; }

  int64_t units() const override { return int64_t(answer_.d.size()); }
  AuditUnit unit(int64_t index) const override;
  std::vector<Hypothesis> hypotheses() const override;
  std::vector<bool> gives(size_t hypothesis, int64_t index) const override;
  std::optional<DifferenceClass> plain_class(const AuditUnit& unit, size_t place) const override;
  DifferenceClass remaining_class(const AuditUnit& unit, size_t place) const override;
  std::optional<double> error_ulp(const AuditUnit& unit, size_t place) const override;
  int64_t input_size(int64_t index) const override;  // products that are not zero, and C

 private:
  ProductInput input_;
  ProductAnswer answer_, expected_;
  const Datapath* datapath_;
  std::vector<float> a_values_, b_values_;  // dequantized
};

// One element of a product, as hypotheses see it.
struct ProductElement {
  const Datapath& datapath;
  RowView a, b;
  std::span<const float> a_values, b_values;  // dequantized
  Factor factor;
  bool has_last_step;
  uint32_t c;         // binary32 bits; +0 where there is none
  uint32_t expected;  // the definition's binary32
  DType type;         // of the answer

  // `acc` from its start to the whole result: the last step, or C as the start.
  uint32_t finished(const std::function<uint32_t(uint32_t start)>& acc) const {
    return has_last_step ? last_step(datapath, acc(0), factor, c) : acc(c);
  }
};
struct ProductHypothesis {
  Hypothesis hypothesis;
  // Whether it gives what was got: `is_got` says so of binary32 bits.
  using IsGot = std::function<bool(uint32_t bits)>;
  std::function<bool(const ProductElement& element, const IsGot& is_got)> gives;
};
const std::vector<ProductHypothesis>& product_hypotheses();

}  // namespace mxref
