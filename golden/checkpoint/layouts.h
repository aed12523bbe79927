#pragma once
// Models written as folders that this project, and where the layout allows it others, read again
// (DESIGN.md, "Quantized models").

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "golden/checkpoint/checkpoint.h"

namespace mxref {

enum class Layout {
  compressed_tensors,  // of the library of that name
  mxref,               // codes, scales and what a conversion says: any model
  dequantized,         // plain values for other tools; the scales stand beside them
};
struct LayoutRow {
  std::string_view name;
  Layout layout;
};
inline constexpr std::array layouts{
    LayoutRow{"compressed-tensors", Layout::compressed_tensors},
    LayoutRow{"mxref", Layout::mxref},
    LayoutRow{"dequantized", Layout::dequantized},
};
std::string_view name_of(Layout layout);
// Throws UsageError for an unknown name.
Layout find_layout(std::string_view name);

// Why a layout does not hold the model, in one line that names the layer and the layout that does;
// "" where it does.
std::string objection_to(const Checkpoint& model, Layout layout);
// compressed-tensors where it holds the model, else mxref.
Layout default_layout(const Checkpoint& model);

// Throws InputError where write_model(…, out) would certainly fail: `out` is there and not an empty
// folder, or its parent is not there or cannot be written in.
void require_place_for_model(const std::filesystem::path& out);

// config.json, weights and tokenizer. `source`: the folder or GGUF file that the model was made of;
// tensors that are not quantized keep its types where those hold their values, and the tokenizer is
// its. Written beside `out` and renamed when whole; the same input gives the same bytes. Throws
// UsageError with objection_to(), InputError where something cannot be read or written.
void write_model(const Checkpoint& model, Layout layout, const std::filesystem::path& source,
                 const std::filesystem::path& out);

}  // namespace mxref
