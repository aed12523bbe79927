#pragma once
// Token ids in a file: `--tokens`.

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mxref {

// The rows of "input_ids" I64 (B,T) in a safetensors file, each id in 0 … vocabulary-1; at least
// one row and one id. Throws InputError that names file and tensor.
std::vector<std::vector<int64_t>> read_tokens(const std::filesystem::path& path,
                                              int64_t vocabulary);

}  // namespace mxref
