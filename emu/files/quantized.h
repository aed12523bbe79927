#pragma once
// Quantized tensors in safetensors: NAME.codes or NAME.packed, NAME.scales, NAME.tensor_scale of
// nvfp4, and their metadata (DESIGN.md,
// "Quantized tensor in safetensors").

#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"
#include "emu/files/safetensors.h"

namespace mxref {

// The NAMEs of a file's quantized tensors, in order: each of which it has codes, scales or
// metadata.
std::vector<std::string> quantized_names(const SafetensorsFile& file);

// The same of a file that must hold quantized tensors and nothing else. Throws InputError.
std::vector<std::string> quantized_names_only(const SafetensorsFile& file);

// Throws InputError that names file, tensor and field, and the form that was expected, where codes,
// scales or a field of the metadata are missing, unknown, of a wrong type or shape, contradict each
// other, or a code is above the format's bits.
// Fields that the metadata lacks are taken from `where_silent`, if there is one.
MxTensor read_quantized(const SafetensorsFile& file, const std::string& name,
                        const Conversion* where_silent = nullptr);
// The metadata alone.
Conversion read_conversion_metadata(const SafetensorsFile& file, const std::string& name,
                                    const Conversion* where_silent = nullptr);

// The shape that read_quantized() gives, of the codes alone. Throws as it does.
std::vector<int64_t> quantized_shape(const SafetensorsFile& file, const std::string& name,
                                     const Conversion& conversion);

// The same of a tensor of this shape whose codes are not in the file.
MxTensor read_scales(const SafetensorsFile& file, const std::string& name,
                     const std::vector<int64_t>& shape);

// Adds codes, one a byte or packed, scales and metadata. Refers to the tensor until the writer has
// written.
void add_quantized(SafetensorsWriter& writer, const std::string& name, const MxTensor& tensor,
                   bool packed = false);

// Adds what read_scales() reads.
void add_scales(SafetensorsWriter& writer, const std::string& name, const MxTensor& tensor);

void add_conversion_metadata(SafetensorsWriter& writer, const std::string& name,
                             const Conversion& conversion);

// Throws UsageError where it is none of block_lengths.
int parse_block_length(std::string_view text);

// "(2, 3, 37)"
std::string to_string(const std::vector<int64_t>& shape);

}  // namespace mxref
