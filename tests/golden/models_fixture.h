#pragma once
// The small reference models of the shared data: what transformers computed, and what this project
// computes.

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/TensorOperators.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "emu/files/safetensors.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/models/language_model.h"
#include "tests/shared_data.h"

namespace mxref::test {

// Folders of the data, one at least for each of `families`.
inline constexpr const char* text_families[] = {"llama3", "llama_tied", "qwen2", "openpangu"};

// A checkpoint with another configuration, some of its tensors left out, or further ones.
struct EditedCheckpoint : Checkpoint {
  std::unique_ptr<Checkpoint> inner;
  nlohmann::json fields;
  std::set<std::string> left_out;
  std::map<std::string, HostTensor> added;

  explicit EditedCheckpoint(const std::filesystem::path& folder)
      : inner(open_checkpoint(folder)), fields(inner->config()) {}
  const nlohmann::json& config() const override { return fields; }
  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const std::string& name : inner->names())
      if (!left_out.contains(name)) all.push_back(name);
    for (const auto& [name, tensor] : added) all.push_back(name);
    return all;
  }
  bool has(const std::string& name) const override {
    return added.contains(name) || (inner->has(name) && !left_out.contains(name));
  }
  std::vector<int64_t> shape(const std::string& name) const override {
    return added.contains(name) ? added.at(name).shape : inner->shape(name);
  }
  HostTensor tensor(const std::string& name) const override {
    return added.contains(name) ? added.at(name) : inner->tensor(name);
  }
  std::filesystem::path path() const override { return inner->path(); }
  std::vector<Storage> storage() const override { return inner->storage(); }
  std::string sha256() const override { return inner->sha256(); }
};

// Recipes without quantized products use no engine; the table must still hold the one they name.
inline Recipe fp32() { return parse_recipe("fp32", {"implementation=ref"}); }
inline EngineTable ref_alone() { return {{"ref", make_ref_engine}}; }

// A tensor of a file of references; it does not outlive the file.
inline at::Tensor view_of(const SafetensorsFile& file, const std::string& name) {
  const TensorView& tensor = file.at(name);
  const at::ScalarType type = tensor.dtype == DType::I64 ? at::kLong : at::kFloat;
  return at::from_blob(const_cast<std::byte*>(tensor.bytes.data()), tensor.shape, type);
}

inline std::vector<int64_t> ids_of(const SafetensorsFile& file, const std::string& name) {
  const at::Tensor ids = view_of(file, name);
  return {ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + ids.numel()};
}

inline float largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<float>();
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() &&
         std::memcmp(a.contiguous().data_ptr(), b.contiguous().data_ptr(), a.nbytes()) == 0;
}

}  // namespace mxref::test
