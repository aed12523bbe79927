#pragma once
// An engine that is one function of whole operands: the definition, and its faulty variants.

#include "emu/engine.h"

namespace mxref {

class ProductEngine : public Engine {
 public:
  // As gemm_ref (emu/gemm.h).
  using Product = void (*)(const MxTensor& a, const MxTensor& b, const Datapath& datapath,
                           std::span<const float> c, std::span<float> d);

  ProductEngine(std::string_view name, Product product) : name_(name), product_(product) {}
  std::string_view name() const override { return name_; }
  std::string refuses(const BlockFormat&, const BlockFormat&, int, const Datapath&) const override {
    return "";
  }
  std::unique_ptr<PreparedOperand> prepare(const MxTensor& b,
                                           const Datapath& datapath) const override {
    auto operand = std::make_unique<Operand>();
    operand->rows = b.rows();
    operand->cols = b.cols();
    operand->b = b;
    operand->datapath = &datapath;
    return operand;
  }
  void multiply(const MxTensor& a, const PreparedOperand& b, std::span<const float> c,
                std::span<float> d) override {
    const auto& operand = dynamic_cast<const Operand&>(b);
    product_(a, operand.b, *operand.datapath, c, d);
  }

 private:
  struct Operand : PreparedOperand {
    MxTensor b;
    const Datapath* datapath;
  };

  std::string_view name_;
  Product product_;
};

}  // namespace mxref
