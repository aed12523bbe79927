#pragma once
// quantization_config of compressed-tensors: which layers are quantized, and how.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "golden/checkpoint/compressed_tensors.h"

namespace mxref::compressed_tensors {

// What a group says of its layers.
struct Scheme {
  const Form* form;
  bool by_tensor;  // strategy "tensor_group": a weight_global_scale stands over scales
  const BlockFormat* activations;  // nullptr: not quantized
};

class QuantizationConfig {
 public:
  // Throws InputError "WHERE.field: what" for what is not known and may change values.
  QuantizationConfig(const nlohmann::json& object, const std::string& where);

  // Of a layer that is targeted and not ignored, else nullptr. A target that is the layer's own
  // name comes before patterns, and those before "Linear".
  const Scheme* scheme_of(const std::string& module) const;

 private:
  struct Group {
    std::vector<std::string> targets;
    Scheme scheme;
  };
  std::vector<Group> groups_;
  std::vector<std::string> ignore_;
  std::string where_;
};

std::string readable_forms();  // "mxfp4-pack-quantized, …"

// Whether a tensor is the matrix of a linear layer: "LAYER.weight" of two extents that is no
// embedding.
bool is_linear(const std::string& tensor, const std::vector<int64_t>& shape);

}  // namespace mxref::compressed_tensors
