#pragma once
// Token ids as a model takes them.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "golden/models/language_model.h"

namespace mxref {

// The first `count` of ids → (1,count) I64. There must be so many.
at::Tensor model_input(const std::vector<int64_t>& ids, int64_t count);

}  // namespace mxref
