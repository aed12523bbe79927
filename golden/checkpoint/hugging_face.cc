// Hugging Face folders: config.json beside model.safetensors, or beside an index and its shards.

#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "emu/files/safetensors.h"
#include "emu/files/sha256.h"
#include "golden/checkpoint/containers.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr auto whole_name = "model.safetensors";
constexpr auto index_name = "model.safetensors.index.json";

struct SafetensorsPlace {
  const SafetensorsFile* file;
  const TensorView* tensor;
  std::string_view type() const { return name_of(tensor->dtype); }
};

class HuggingFaceFolder : public PlacedCheckpoint<SafetensorsPlace> {
 public:
  explicit HuggingFaceFolder(const fs::path& folder) : folder_(folder) {
    const fs::path config = folder / "config.json";
    std::error_code error;
    if (!fs::exists(config, error))
      throw InputError(folder.string() + ": has no config.json; expected " + model_forms);
    config_ = read_json_object(config);
    if (config_.contains("quantization_config") && !config_["quantization_config"].is_null())
      throw InputError(config.string() +
                       ": quantization_config is not supported; expected weights in F32, F16 or "
                       "BF16");
    if (fs::exists(folder / whole_name, error)) {
      const SafetensorsFile& file = open_weights(whole_name);
      for (const TensorView& tensor : file.tensors()) places_[tensor.name] = {&file, &tensor};
    } else if (fs::exists(folder / index_name, error)) {
      read_index(folder / index_name);
    } else {
      throw InputError(folder.string() + ": has neither " + whole_name + " nor " + index_name);
    }
  }

  const json& config() const override { return config_; }
  HostTensor tensor(const std::string& name) const override {
    const SafetensorsPlace& place = at(name);
    HostTensor result{place.tensor->shape, to_binary32(*place.file, *place.tensor)};
    refuse_non_finite(place.file->path(), name, result.values);
    return result;
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

  void read_index(const fs::path& path) {
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
      places_[name] = {&file, tensor};
    }
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
