#pragma once
// How a model computes whose files say of each layer what it is, and no more: a recipe.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "golden/checkpoint/quantization_config.h"

namespace mxref::compressed_tensors {

struct DerivedLayer {
  const Scheme* scheme;
  Prescale prescale;  // of its weights
};

// The recipe (golden/recipe.h) of these layers: the datapath `fused`, inputs by the scale rule
// `even`, the library's; what most of them are stands in front, an override for each other kind;
// `unquantized` linear layers are skipped.
nlohmann::json derive_recipe(const std::map<std::string, DerivedLayer>& layers,
                             const std::set<std::string>& unquantized);

}  // namespace mxref::compressed_tensors
