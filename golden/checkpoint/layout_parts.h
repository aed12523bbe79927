#pragma once
// What a layout writes: tensors, and what config.json says of them.

#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "emu/files/safetensors.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/recipe.h"

namespace mxref {

// A quantized tensor and its layer: "LAYER.weight".
struct QuantizedLayer {
  std::string layer;
  MxTensor codes;
};

struct ModelParts {
  nlohmann::json config;
  SafetensorsWriter weights;
  std::optional<SafetensorsWriter> scales;  // of own_layouts::scales_file
  std::list<MxTensor> kept;                 // what the writers refer to
};

namespace compressed_tensors {

// "" or why the library cannot hold the layer: "layer 'NAME' …".
std::string objection_to(const QuantizedLayer& layer);
void add_layer(const QuantizedLayer& layer, ModelParts& parts);
// "quantization_config" of the layers that were added, by their names; `ignored` are the linear
// ones that are not quantized.
void describe(const std::map<std::string, Conversion>& conversions,
              const std::vector<std::string>& ignored, const std::optional<Recipe>& recipe,
              nlohmann::json& config);

}  // namespace compressed_tensors

}  // namespace mxref
