#pragma once
// Rows of the rest of a model caught in it: what its norms, softmaxes, gated units and rotary
// embeddings take in while it reads a text.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emu/engine.h"
#include "emu/vectors/units.h"
#include "golden/checkpoint/checkpoint.h"

namespace mxref {

// So many tokens are read, where there are so many: the softmax is that of the last of them.
inline constexpr int64_t rows_tokens = 40;

// By the names of the units of the rest. The model computes in binary32, strict. An equal share of
// each module, drawn with `seed`, of at most `count` rows; no row twice, so that there are fewer
// where a module has fewer. `source` names each module and its share. Throws as load_model.
std::map<std::string, UnitRows> catch_rows(const Checkpoint& checkpoint, const EngineTable& engines,
                                           const std::vector<int64_t>& ids, int64_t count,
                                           uint64_t seed);

}  // namespace mxref
