#pragma once
// GGUF files (versions 2 and 3, little-endian): metadata and tensors, as they are stored. What they
// mean for a model: gguf_checkpoint.cc; for a tokenizer: golden/tokenizer.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "golden/checkpoint/gguf_types.h"

namespace mxref {

enum class GgufKind : uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64
};

// A metadata value, still in the file's bytes.
struct GgufValue {
  GgufKind kind;  // of the elements where it is an array
  bool is_array;
  uint64_t count;                    // elements of an array, else 1
  std::span<const std::byte> bytes;  // a string with its length in front
};

struct GgufTensor {
  std::string name;
  const GgufType* type;
  std::vector<int64_t> shape;  // slowest extent first, as everywhere else
  std::span<const std::byte> bytes;
};

// A file mapped into memory. open() throws InputError that names the file, and the key or tensor
// where there is one, for a file of another kind or version, a count, length or offset that leads
// out of the file, a nested array, an alignment that is no power of two, names that come twice, an
// unknown element type, a row that is no multiple of its block, tensors that overlap or leave
// holes.
class GgufFile {
 public:
  static GgufFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }  // in order of names
  const GgufTensor* find(std::string_view name) const;  // nullptr where there is none

  // The value under a key as T: uint64_t, double, bool, std::string_view,
  // std::vector of std::string_view, int64_t or double. nullopt where there is no such key;
  // InputError where it holds something else.
  template <typename T>
  std::optional<T> get(std::string_view key) const;
  // Throws InputError also where there is no such key.
  template <typename T>
  T need(std::string_view key) const {
    std::optional<T> value = get<T>(key);
    if (!value) refuse("has no metadata '" + std::string(key) + "'");
    return *std::move(value);
  }

  [[noreturn]] void refuse(const std::string& what) const;  // InputError "FILE: what"

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> mapping_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::vector<GgufTensor> tensors_;
};

template <>
std::optional<uint64_t> GgufFile::get(std::string_view key) const;
template <>
std::optional<double> GgufFile::get(std::string_view key) const;
template <>
std::optional<bool> GgufFile::get(std::string_view key) const;
template <>
std::optional<std::string_view> GgufFile::get(std::string_view key) const;
template <>
std::optional<std::vector<std::string_view>> GgufFile::get(std::string_view key) const;
template <>
std::optional<std::vector<int64_t>> GgufFile::get(std::string_view key) const;
template <>
std::optional<std::vector<double>> GgufFile::get(std::string_view key) const;

}  // namespace mxref
