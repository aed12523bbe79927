#pragma once
// Products caught in a model: real weights, and the activations that meet them while it reads a
// text.

#include <cstdint>
#include <vector>

#include "emu/crosscheck/crosscheck.h"
#include "emu/engine.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/recipe.h"

namespace mxref {

// So many tokens are read: a product of them is small enough for the scalar definition.
inline constexpr int64_t caught_tokens = 8;

// While the model reads the first tokens of `ids` (there must be so many) under `recipe`, whose
// sides must both be converted: layers of different K and position (the first block, the middle
// one, the last), each cut to 32 output features. In the order of the modules' names. Throws as
// load_model.
std::vector<GivenProduct> catch_products(const Checkpoint& checkpoint, const Recipe& recipe,
                                         const EngineTable& engines,
                                         const std::vector<int64_t>& ids);

}  // namespace mxref
