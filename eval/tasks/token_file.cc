#include "eval/tasks/token_file.h"

#include <cstring>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/files/safetensors.h"

namespace mxref {

std::vector<std::vector<int64_t>> read_tokens(const std::filesystem::path& path,
                                              int64_t vocabulary) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const TensorView& view = file.at("input_ids");
  const std::string where = path.string() + ": tensor 'input_ids' ";
  if (view.dtype != DType::I64)
    throw InputError(where + "is " + std::string(name_of(view.dtype)) + ", expected I64");
  if (view.shape.size() != 2 || view.elements() == 0)
    throw InputError(where + "has shape " + to_string(view.shape) +
                     ", expected (B,T) with at least one token");
  const auto B = size_t(view.shape[0]), T = size_t(view.shape[1]);
  std::vector<std::vector<int64_t>> rows(B, std::vector<int64_t>(T));
  for (size_t b = 0; b < B; ++b) {
    std::memcpy(rows[b].data(), view.bytes.data() + b * T * sizeof(int64_t), T * sizeof(int64_t));
    for (size_t t = 0; t < T; ++t)
      if (rows[b][t] < 0 || rows[b][t] >= vocabulary)
        throw InputError(where + "holds the token id " + std::to_string(rows[b][t]) + " at index " +
                         std::to_string(b * T + t) + "; the vocabulary is 0 … " +
                         std::to_string(vocabulary - 1));
  }
  return rows;
}

}  // namespace mxref
