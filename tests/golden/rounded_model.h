#pragma once
// A model whose weights are rounded to the nearest as a recipe says, in memory.

#include <nlohmann/json.hpp>

#include "emu/quantize.h"
#include "golden/checkpoint/compressed_tensors.h"
#include "golden/checkpoint/memory_checkpoint.h"
#include "golden/checkpoint/quantization_config.h"
#include "golden/recipe.h"

namespace mxref::test {

inline MemoryCheckpoint rounded_model(const std::filesystem::path& source, const Recipe& recipe) {
  const auto checkpoint = open_checkpoint(source);
  MemoryCheckpoint model(checkpoint->config(), checkpoint->path(), checkpoint->sha256());
  model.config()["mxref"] = {{"recipe", to_json(recipe)}, {"method", "rtn"}};
  for (const std::string& name : checkpoint->names()) {
    HostTensor tensor = checkpoint->tensor(name);
    const std::string layer = name.substr(0, name.rfind('.'));
    const auto conversion = compressed_tensors::is_linear(name, tensor.shape)
                                ? linear_recipe(recipe, layer).weights.conversion
                                : std::nullopt;
    if (conversion)
      model.set(name, quantize(tensor.values, tensor.shape, *conversion));
    else
      model.set(name, std::move(tensor));
  }
  return model;
}

}  // namespace mxref::test
