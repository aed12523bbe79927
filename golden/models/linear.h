#pragma once
// A linear layer as a recipe says: by an engine where both sides are quantized, else as part of the
// rest of the model.

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "emu/engine.h"
#include "golden/models/rest.h"
#include "golden/recipe.h"

namespace mxref {

// x as an unquantized product takes it: unchanged, rounded to bfloat16, or dequantized.
at::Tensor round_to(const RecipeSide& side, const at::Tensor& x);

// The input of one or more linear layers: its conversions are kept, so that q, k and v share one.
class LinearInput {
 public:
  explicit LinearInput(at::Tensor values) : values_(std::move(values)) {}  // (M,K) binary32
  const at::Tensor& values() const { return values_; }
  const MxTensor& quantized(const Conversion& conversion);
  const at::Tensor& rounded(const RecipeSide& side);

 private:
  at::Tensor values_;
  std::optional<MxTensor> quantized_;
  std::optional<RecipeSide> rounded_side_;
  at::Tensor rounded_;
};

class LinearLayer {
 public:
  // Codes that the checkpoint has are taken as they are where the recipe wants their form.
  struct Weight {
    at::Tensor values;               // (N,K)
    std::optional<MxTensor> stored;  // what the values stand for
  };
  // bias (N) or undefined. Under fake quantization datapath and engine are null, and products are
  // the library's. Throws UsageError where the engine does not take the product.
  LinearLayer(std::string module, const Weight& weight, at::Tensor bias, const LinearRecipe& recipe,
              const Datapath* datapath, Engine* engine, const Rest& rest);

  // x (M,K) → (M,N).
  at::Tensor operator()(LinearInput& x) const;

  const std::string& module() const { return module_; }

 private:
  std::string module_;
  at::Tensor bias_;
  LinearRecipe recipe_;
  Engine* engine_;
  const Rest &products_, &rest_;
  std::unique_ptr<PreparedOperand> prepared_;  // the engine's, or
  std::unique_ptr<RestWeight> weight_;         // that of products_
};

}  // namespace mxref
