#pragma once
// How GGUF stores tensor elements: one row a type.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mxref {

struct GgufType {
  uint32_t id;
  std::string_view name;
  int64_t block_elements, block_bytes;  // elements that share a scale lie side by side in a row
  // Whole blocks → their binary32 values. nullptr: known by name and size, not read.
  void (*unpack)(std::span<const std::byte> blocks, std::span<float> values);
};

// nullptr where no row has this id.
const GgufType* find_gguf_type(uint32_t id);
std::string readable_gguf_types();  // "F32, F16, …"

}  // namespace mxref
