#include "eval/cli/models/token_file.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/files/safetensors.h"

namespace mxref {

at::Tensor read_tokens(const std::filesystem::path& path, int64_t vocabulary) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const TensorView& view = file.at("input_ids");
  const std::string where = path.string() + ": tensor 'input_ids' ";
  if (view.dtype != DType::I64)
    throw InputError(where + "is " + std::string(name_of(view.dtype)) + ", expected I64");
  if (view.shape.size() != 2 || view.elements() == 0)
    throw InputError(where + "has shape " + to_string(view.shape) +
                     ", expected (B,T) with at least one token");
  at::Tensor ids = at::empty(view.shape, at::kLong);
  std::memcpy(ids.data_ptr(), view.bytes.data(), view.bytes.size());
  const auto* values = ids.data_ptr<int64_t>();
  for (int64_t i = 0; i < ids.numel(); ++i)
    if (values[i] < 0 || values[i] >= vocabulary)
      throw InputError(where + "holds the token id " + std::to_string(values[i]) + " at index " +
                       std::to_string(i) + "; the vocabulary is 0 … " +
                       std::to_string(vocabulary - 1));
  return ids;
}

std::vector<std::vector<int64_t>> rows_of(const at::Tensor& ids) {
  std::vector<std::vector<int64_t>> rows;
  const auto* values = ids.data_ptr<int64_t>();
  for (int64_t b = 0; b < ids.size(0); ++b)
    rows.emplace_back(values + b * ids.size(1), values + (b + 1) * ids.size(1));
  return rows;
}

}  // namespace mxref
