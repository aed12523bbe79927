#include "eval/validate/model_input.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace mxref {

at::Tensor model_input(const std::vector<int64_t>& ids, int64_t count) {
  const at::Tensor input = at::empty({1, count}, at::kLong);
  std::copy_n(ids.begin(), count, input.data_ptr<int64_t>());
  return input;
}

}  // namespace mxref
