#pragma once
// One layer of a decoder as libtorch's autograd sees it: LayerForward with quantizers, weights and
// maps that may have gradients.

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>

#include "golden/recipe.h"
#include "ptq/model.h"

namespace mxref {

// What a layer rounds; a side without a conversion rounds nothing.
struct LayerQuantizers {
  std::array<RecipeSide, all_linears.size()> weights, activations;  // by linear layer
  RecipeSide keys, values;  // of the cache, blocks along a head's dimension
};
LayerQuantizers quantizers_of(const Recipe& recipe, const LayerWeights& layer);

using TensorMap = std::function<at::Tensor(const at::Tensor&)>;
// What runs on line; empty: nothing.
struct LayerMaps {
  std::array<TensorMap, all_places.size()> places;  // of the input there (M,K)
  TensorMap queries, keys;                          // of heads (·, head_dim)
};

class LearnedLayer {
 public:
  // Sequences have at most `length` tokens.
  LearnedLayer(const DecoderDescription& description, int64_t length);

  // x (sequences·T, D), each sequence from position 0 on → the same. Norms without weights
  // (undefined) have none.
  at::Tensor run(const LayerWeights& layer, const LayerMaps& maps,
                 const LayerQuantizers& quantizers, const at::Tensor& x, int64_t sequences) const;

 private:
  // The two halves, x in front of each.
  at::Tensor attention_half(const LayerWeights& layer, const LayerMaps& maps,
                            const LayerQuantizers& quantizers, const at::Tensor& x,
                            int64_t sequences) const;
  at::Tensor mlp_half(const LayerWeights& layer, const LayerMaps& maps,
                      const LayerQuantizers& quantizers, const at::Tensor& x) const;
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const;

  const DecoderDescription description_;
  at::Tensor cos_, sin_;  // (length, head_dim/2)
};

}  // namespace mxref
