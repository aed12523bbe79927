#pragma once
// A linear layer as a recipe says: by an engine where both sides are quantized, else by the
// library.

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "emu/engine.h"
#include "golden/recipe.h"

namespace mxref {

// The input of one or more linear layers: its conversions are kept, so that q, k and v share one.
class LinearInput {
 public:
  explicit LinearInput(at::Tensor values) : values_(std::move(values)) {}  // (M,K) binary32
  const at::Tensor& values() const { return values_; }
  const MxTensor& quantized(const Conversion& conversion);
  // As a product by the library takes it: unchanged, rounded to bfloat16, or dequantized.
  const at::Tensor& rounded(const RecipeSide& side);

 private:
  at::Tensor values_;
  std::optional<MxTensor> quantized_;
  std::optional<RecipeSide> rounded_side_;
  at::Tensor rounded_;
};

class LinearLayer {
 public:
  // weight (N,K), bias (N) or undefined. The engine may be null where the recipe computes by the
  // library; where it computes by the engine, UsageError if that does not take the product.
  LinearLayer(std::string module, at::Tensor weight, at::Tensor bias, const LinearRecipe& recipe,
              const Datapath* datapath, Engine* engine);

  // x (M,K) → (M,N).
  at::Tensor operator()(LinearInput& x) const;

  const std::string& module() const { return module_; }
  bool by_engine() const { return prepared_ != nullptr; }

 private:
  std::string module_;
  at::Tensor weight_;  // as the library's product takes it; undefined where the engine holds it
  at::Tensor bias_;
  LinearRecipe recipe_;
  Engine* engine_;
  std::unique_ptr<PreparedOperand> prepared_;
};

}  // namespace mxref
