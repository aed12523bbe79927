#pragma once
// What a quantized model computes on line, besides what its family does: rotations and affine maps
// of activations, described under "mxref" in config.json.
//
//   "transforms": [{"after": "model.layers.0.mlp.act_fn", "kind": "hadamard", "size": 1536}, …]
//
// "after" names a module (golden/models/module_observer.h) whose output is changed, in the order of
// the list:
//   input_layernorm (for q, k and v), self_attn.attention (for o), post_attention_layernorm (for
//   gate and up), mlp.act_fn (for down), self_attn.rotary (queries and keys alike, head by head).
// Kinds, x the row of an activation, of n elements (at self_attn.rotary: of one head):
//   hadamard   {"size": s, "inner": i = 1}: x as (n/(s·i), s, i), x·H_s/√s along s
//   kronecker  {"left": NAME, "right": NAME}: x as (a, b) → leftᵀ·x·right; tensors (a,a) and (b,b);
//              without "right" leftᵀ·x
//   affine     {"matrix": NAME} at self_attn.rotary: keys k·P, queries q·P^(-T), which stands in
//              {"inverse": NAME}
//   clip       {"ratio": r, "block": k}: each block of k to ±RNE32(r·its largest magnitude)

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "golden/models/rest.h"

namespace mxref {

class OnlineTransform {
 public:
  virtual ~OnlineTransform() = default;
  // x (M,n) binary32, contiguous → (M,n). Never in place. Bits as rest_of() has them for products;
  // all else is the same for every rest.
  virtual at::Tensor operator()(const at::Tensor& x) const = 0;
  // Of keys, where queries take another matrix.
  virtual at::Tensor keys(const at::Tensor& x) const { return (*this)(x); }
};

// The transforms after each module, by its name.
class OnlineTransforms {
 public:
  OnlineTransforms() = default;
  // `list` as above, null for none; read(NAME) is a tensor of the checkpoint. width(module) is n
  // there, 0 where there is no such place. Throws InputError that begins with `where` for what is
  // unknown or does not fit.
  OnlineTransforms(const nlohmann::json& list, const std::string& where,
                   const std::function<at::Tensor(const std::string&)>& read,
                   const std::function<int64_t(const std::string&)>& width, const Rest& rest);

  bool empty() const { return rows_.empty(); }
  bool has(const std::string& module) const;
  // x (M,n) → all transforms of the module, in order; x itself where there are none.
  at::Tensor apply(const std::string& module, const at::Tensor& x) const;
  at::Tensor apply_to_keys(const std::string& module, const at::Tensor& x) const;
  // The names of the tensors that they take.
  static std::vector<std::string> tensors(const nlohmann::json& list);

 private:
  struct Row {
    std::string module;
    std::unique_ptr<OnlineTransform> transform;
  };
  std::vector<Row> rows_;
};

}  // namespace mxref
