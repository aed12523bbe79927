#pragma once
// Quantized layers as this project stores them: in the layout `mxref` with their codes, in the
// layout `dequantized` as values whose scales stand in a file beside them.

#include "golden/checkpoint/stored_tensor.h"

namespace mxref::own_layouts {

inline constexpr std::string_view weight_suffix = ".weight";
// In quantization_config of the layout `mxref`, so that other tools do not take it for a plain one.
inline constexpr std::string_view quant_method = "mxref";
// Scales of a dequantized model; other tools read model.safetensors alone.
inline constexpr auto scales_file = "mxref_scales.safetensors";

// LAYER.codes or .packed, LAYER.scales … → LAYER.weight, taken out of `raw`. Throws InputError that
// names file and tensor, and the form that was expected.
StoredTensors take_layers(RawTensors& raw);

// LAYER.weight, whose codes follow from its values and the scales in `scales`; likewise.
StoredTensors take_dequantized(RawTensors& raw, const SafetensorsFile& scales);

}  // namespace mxref::own_layouts
