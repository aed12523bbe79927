#pragma once
// Token ids in a file: `--tokens`.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mxref {

// "input_ids" I64 (B,T) of a safetensors file, each in 0 … vocabulary-1. Throws InputError that
// names file and tensor.
at::Tensor read_tokens(const std::filesystem::path& path, int64_t vocabulary);

// ids (B,T) → its rows.
std::vector<std::vector<int64_t>> rows_of(const at::Tensor& ids);

}  // namespace mxref
