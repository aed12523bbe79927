#pragma once
// A model in memory: what a method makes of another, before it is written or run.

#include <map>
#include <nlohmann/json.hpp>

#include "golden/checkpoint/checkpoint.h"

namespace mxref {

class MemoryCheckpoint : public Checkpoint {
 public:
  // `origin`: the checkpoint that it was made of, for path() and sha256().
  MemoryCheckpoint(nlohmann::json config, std::filesystem::path path, std::string sha256)
      : config_(std::move(config)), path_(std::move(path)), sha256_(std::move(sha256)) {}

  nlohmann::json& config() { return config_; }
  void set(const std::string& name, HostTensor values);
  void set(const std::string& name, MxTensor codes);
  void erase(const std::string& name) { entries_.erase(name); }

  const nlohmann::json& config() const override { return config_; }
  std::vector<std::string> names() const override;
  bool has(const std::string& name) const override { return entries_.contains(name); }
  std::vector<int64_t> shape(const std::string& name) const override;
  HostTensor tensor(const std::string& name) const override;
  std::optional<MxTensor> quantized(const std::string& name) const override;
  std::vector<Storage> storage() const override;
  std::filesystem::path path() const override { return path_; }
  std::string sha256() const override { return sha256_; }

  // The values of an unquantized tensor, without a copy. Throws InputError where there is none.
  const HostTensor& values(const std::string& name) const;

 private:
  struct Entry {
    HostTensor values;  // of an unquantized tensor
    std::optional<MxTensor> codes;
  };
  const Entry& entry(const std::string& name) const;

  nlohmann::json config_;
  std::filesystem::path path_;
  std::string sha256_;
  std::map<std::string, Entry> entries_;
};

}  // namespace mxref
