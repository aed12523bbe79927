#pragma once
// A model on disk, whatever its container: configuration and tensors in the words of Hugging Face.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "emu/block.h"

namespace mxref {

// Row-major binary32 values; what was stored as F16, BF16 or quantized blocks is expanded exactly
// as its format says.
struct HostTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// How so many values are stored: in a type of the container ("F32", "Q4_1"), scales included.
struct Storage {
  std::string type;
  int64_t values = 0, bytes = 0;
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  // The fields of config.json. A GGUF's metadata is translated into them ("architectures",
  // "hidden_size", …). "mxref" holds what a quantized model says of itself: "recipe"
  // (golden/recipe.h), "transforms" (golden/models/online_transform.h), "method".
  virtual const nlohmann::json& config() const = 0;

  // Names as in Hugging Face ("model.layers.0.self_attn.q_proj.weight"); a GGUF's are translated,
  // the rows of q and k that llama stores for pairwise rotation are put back into half order.
  virtual std::vector<std::string> names() const = 0;
  virtual bool has(const std::string& name) const = 0;
  virtual std::vector<int64_t> shape(const std::string& name) const = 0;
  // Throws InputError that names file and tensor where it is missing, damaged, or holds NaN or Inf.
  virtual HostTensor tensor(const std::string& name) const = 0;
  // Its codes and scales, where it is stored quantized; tensor() is what they stand for.
  virtual std::optional<MxTensor> quantized(const std::string& /*name*/) const {
    return std::nullopt;
  }

  // The type that it is stored in, as in storage(); "" where that is not known.
  virtual std::string stored_type(const std::string& /*name*/) const { return ""; }

  virtual std::vector<Storage> storage() const = 0;  // a row for each type, most values first

  virtual std::filesystem::path path() const = 0;
  virtual std::string sha256()
      const = 0;  // of the file; of a folder: of its weight files' hashes in order of names
};

// A Hugging Face folder (config.json; model.safetensors, or an index and its shards) or a GGUF
// file. Throws InputError.
std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path);

}  // namespace mxref
