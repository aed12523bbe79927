#pragma once
// Quantized layers as the library compressed-tensors stores them (DESIGN.md, "Quantized models"):
// its words, read and written.

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/formats.h"
#include "emu/scale_rules.h"
#include "golden/checkpoint/stored_tensor.h"

namespace mxref::compressed_tensors {

inline constexpr std::string_view quant_method = "compressed-tensors",
                                  mixed_precision = "mixed-precision";
// Behind the name of a layer.
inline constexpr std::string_view packed_suffix = ".weight_packed", weight_suffix = ".weight",
                                  scale_suffix = ".weight_scale",
                                  global_scale_suffix = ".weight_global_scale",
                                  input_global_scale_suffix = ".input_global_scale";

// A format of weights: how it is called, and how quantization_config describes one of its sides.
struct Form {
  std::string_view word;
  std::string_view format;
  int num_bits;
  bool packed;                   // two codes a byte, else F8_E4M3
  std::string_view scale_dtype;  // in quantization_config
};
inline constexpr std::array forms{
    Form{"mxfp4-pack-quantized", "mxfp4", 4, true, "torch.uint8"},
    Form{"mxfp8-quantized", "mxfp8_e4m3", 8, false, "torch.uint8"},
    Form{"nvfp4-pack-quantized", "nvfp4", 4, true, "torch.float8_e4m3fn"},
};
// nullptr where none has it.
const Form* form_of(std::string_view format);

// weight_global_scale, which values are divided by, as a pre-scale: the simplest fraction that
// rounds to it. nullopt where there is none.
std::optional<Prescale> prescale_of(float global_scale);

// The layers of a folder that config["quantization_config"] describes: their tensors are taken out
// of `raw`. What the configuration says of their computation is added as config["mxref"]["recipe"]
// where that does not say it; "quantization_config" is removed. Throws InputError that names file
// and tensor or field, and the form that was expected.
StoredTensors take_layers(RawTensors& raw, nlohmann::json& config, const std::string& config_file);

}  // namespace mxref::compressed_tensors
