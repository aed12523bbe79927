#pragma once
// The containers behind open_checkpoint().

#include "golden/checkpoint/checkpoint.h"

namespace mxref {

std::unique_ptr<Checkpoint> open_hugging_face(const std::filesystem::path& folder);
std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& file);

// Throws InputError that names file and tensor where a value is NaN or Inf.
void refuse_non_finite(const std::filesystem::path& path, const std::string& name,
                       const std::vector<float>& values);

}  // namespace mxref
