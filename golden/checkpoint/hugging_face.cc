// Hugging Face folders: config.json beside model.safetensors, or beside an index and its shards.

#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "emu/files/safetensors.h"
#include "emu/files/sha256.h"
#include "emu/quantize.h"
#include "golden/checkpoint/compressed_tensors.h"
#include "golden/checkpoint/containers.h"
#include "golden/checkpoint/own_layouts.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr auto whole_name = "model.safetensors";
constexpr auto index_name = "model.safetensors.index.json";

class HuggingFaceFolder : public PlacedCheckpoint<StoredTensor> {
 public:
  explicit HuggingFaceFolder(const fs::path& folder) : folder_(folder) {
    const fs::path config = folder / "config.json";
    std::error_code error;
    if (!fs::exists(config, error))
      throw InputError(folder.string() + ": has no config.json; expected " + model_forms);
    config_ = read_json_object(config);
    RawTensors raw = read_files();
    places_ = take_quantized(raw, config.string());
    for (const auto& [name, tensor] : raw) places_.emplace(name, StoredTensor(tensor));
  }

  const json& config() const override { return config_; }
  HostTensor tensor(const std::string& name) const override {
    const StoredTensor& place = at(name);
    HostTensor result{place.shape(), place.is_quantized()
                                         ? dequantize(place.quantized())
                                         : to_binary32(place.file(), place.view())};
    refuse_non_finite(place.file().path(), name, result.values);
    return result;
  }
  std::optional<MxTensor> quantized(const std::string& name) const override {
    const StoredTensor& place = at(name);
    return place.is_quantized() ? std::optional(place.quantized()) : std::nullopt;
  }
  fs::path path() const override { return folder_; }
  std::string sha256() const override {
    std::string hashes;
    for (const auto& [name, file] : files_) hashes += sha256_of_file(file.path());
    return mxref::sha256(hashes);
  }

 private:
  const SafetensorsFile& open_weights(const std::string& name) {
    auto at = files_.find(name);
    if (at == files_.end()) at = files_.emplace(name, SafetensorsFile::open(folder_ / name)).first;
    return at->second;
  }

  RawTensors read_files() {
    std::error_code error;
    if (fs::exists(folder_ / index_name, error) && !fs::exists(folder_ / whole_name, error))
      return read_index(folder_ / index_name);
    if (!fs::exists(folder_ / whole_name, error))
      throw InputError(folder_.string() + ": has neither " + whole_name + " nor " + index_name);
    RawTensors raw;
    const SafetensorsFile& file = open_weights(whole_name);
    for (const TensorView& tensor : file.tensors()) raw[tensor.name] = {&file, &tensor};
    return raw;
  }

  // The quantized layers, taken out of `raw`, by the layout that config.json names. What says so
  // there is taken out too.
  StoredTensors take_quantized(RawTensors& raw, const std::string& config) {
    const json described = config_.value("quantization_config", json());
    const json method = described.is_object() ? described.value("quant_method", json()) : json();
    if (method == compressed_tensors::quant_method)
      return compressed_tensors::take_layers(raw, config_, config);
    if (!described.is_null() && method != own_layouts::quant_method)
      throw InputError(config + ": quantization_config of quant_method " + shown(method) +
                       " is not supported; expected '" +
                       std::string(compressed_tensors::quant_method) +
                       "', or weights in F32, F16 or BF16");
    config_.erase("quantization_config");
    std::error_code error;
    if (fs::exists(folder_ / own_layouts::scales_file, error))
      return own_layouts::take_dequantized(raw, open_weights(own_layouts::scales_file));
    return own_layouts::take_layers(raw);
  }

  RawTensors read_index(const fs::path& path) {
    RawTensors raw;
    const json index = read_json_object(path);
    if (!index.contains("weight_map") || !index["weight_map"].is_object())
      throw InputError(path.string() + ": has no object 'weight_map'");
    for (const auto& [name, shard] : index["weight_map"].items()) {
      const std::string where = path.string() + ": tensor '" + name + "' ";
      if (!shard.is_string()) throw InputError(where + "has a shard that is no string");
      const auto file_name = shard.get<std::string>();
      // A shard lies beside its index: what leads elsewhere is an attack or a mistake.
      if (file_name.empty() || fs::path(file_name).filename() != file_name || file_name == "." ||
          file_name == "..")
        throw InputError(where + "is said to be in '" + file_name +
                         "'; expected a file in the index's own folder");
      std::error_code error;
      if (!fs::exists(folder_ / file_name, error))
        throw InputError(where + "is said to be in '" + file_name + "', which does not exist");
      const SafetensorsFile& file = open_weights(file_name);
      const TensorView* tensor = file.find(name);
      if (!tensor) throw InputError(where + "is not in its shard '" + file_name + "'");
      raw[name] = {&file, tensor};
    }
    return raw;
  }

  fs::path folder_;
  json config_;
  std::map<std::string, SafetensorsFile> files_;  // by file name
};

}  // namespace

std::unique_ptr<Checkpoint> open_hugging_face(const fs::path& folder) {
  return std::make_unique<HuggingFaceFolder>(folder);
}

}  // namespace mxref
