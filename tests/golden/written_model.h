#pragma once
// A small quantized model in memory, and folders that were written of one.

#include <cmath>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "emu/quantize.h"
#include "golden/checkpoint/layouts.h"
#include "golden/checkpoint/memory_checkpoint.h"
#include "golden/recipe.h"
#include "tests/temporary_folder.h"

namespace mxref {

inline const std::string written_layer = "model.layers.0.";
inline const std::string q_weight = written_layer + "self_attn.q_proj.weight",
                         up_weight = written_layer + "mlp.up_proj.weight",
                         down_weight = written_layer + "mlp.down_proj.weight";

inline HostTensor random_tensor(std::vector<int64_t> shape, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  HostTensor tensor{std::move(shape), std::vector<float>(size_t(count))};
  for (float& value : tensor.values) value = normal(random);
  return tensor;
}

// Its source folder: matrices of 64 columns in F32, a norm in BF16, a bias in F16.
struct SourceFolder : TemporaryFolder {
  SourceFolder() {
    write(
        "config.json",
        R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "torch_dtype": "float32"})");
    write("tokenizer.json", "{}");
    SafetensorsWriter writer;
    std::list<HostTensor> kept;
    for (const std::string& name :
         {std::string("model.embed_tokens.weight"), q_weight, up_weight, down_weight}) {
      const HostTensor& w = kept.emplace_back(random_tensor({8, 64}, kept.size()));
      writer.add(name, DType::F32, w.shape, w.values);
    }
    const std::vector<uint16_t> halves{0x3F80, 0xC000, 0x3E80, 0x8000};
    writer.add("model.norm.weight", DType::BF16, {4}, halves);
    writer.add(written_layer + "mlp.down_proj.bias", DType::F16, {4}, halves);
    writer.write(path() / "model.safetensors");
  }
};

// The model of the source, the weights of q, up and down by these conversions, where they have one.
struct SideConversions {
  std::optional<Conversion> q, up, down;
};
inline MemoryCheckpoint quantized_model(const std::filesystem::path& source,
                                        const SideConversions& sides) {
  const auto checkpoint = open_checkpoint(source);
  MemoryCheckpoint model(checkpoint->config(), checkpoint->path(), checkpoint->sha256());
  for (const std::string& name : checkpoint->names()) model.set(name, checkpoint->tensor(name));
  for (const auto& [name, conversion] :
       {std::pair{q_weight, sides.q}, {up_weight, sides.up}, {down_weight, sides.down}})
    if (conversion) {
      const HostTensor w = model.values(name);
      model.set(name, quantize(w.values, w.shape, *conversion));
    }
  return model;
}

inline Conversion conversion_to(const char* format, Prescale prescale = {}) {
  return {.format = &block_format(format), .prescale = prescale};
}

// The safetensors file of a folder, written again after `change`.
struct EditableTensor {
  std::string name;
  DType type;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};
inline void edit_weights(
    const std::filesystem::path& file,
    const std::function<void(std::map<std::string, EditableTensor>&)>& change) {
  std::map<std::string, EditableTensor> tensors;
  SafetensorsWriter writer;
  {
    const SafetensorsFile read = SafetensorsFile::open(file);
    for (const TensorView& view : read.tensors()) {
      EditableTensor tensor{view.name, view.dtype, view.shape, {}};
      tensor.bytes.resize(view.bytes.size());
      std::memcpy(tensor.bytes.data(), view.bytes.data(), view.bytes.size());
      tensors[view.name] = std::move(tensor);
    }
    for (const auto& [key, value] : read.metadata()) writer.set_metadata(key, value);
  }
  change(tensors);
  for (const auto& [name, tensor] : tensors)
    writer.add(name, tensor.type, tensor.shape, tensor.bytes);
  writer.write(file);
}

}  // namespace mxref
