#pragma once
// GGUF files made by hand, good ones and bad ones.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/checkpoint/gguf.h"

namespace mxref {

template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
inline std::string raw_text(std::string_view text) {
  return raw(uint64_t(text.size())) + std::string(text);
}
template <typename T>
std::string raw_array(GgufKind kind, const std::vector<T>& values) {
  std::string bytes = raw(uint32_t(kind)) + raw(uint64_t(values.size()));
  for (const T& value : values)
    if constexpr (std::is_arithmetic_v<T>)
      bytes += raw(value);
    else
      bytes += raw_text(value);
  return bytes;
}

// Every field can be set to what it should not be before bytes() is asked for.
struct GgufBuilder {
  struct Entry {
    std::string key;
    GgufKind kind;
    std::string value;
  };
  struct Tensor {
    std::string name;
    std::vector<uint64_t> shape;  // slowest extent first
    uint32_t type;
    std::string bytes;
    int64_t shift = 0;  // of the offset, against where the bytes lie
  };
  std::string magic = "GGUF";
  uint32_t version = 3;
  uint64_t more_tensors = 0, more_entries = 0;  // claimed beyond what there is
  uint64_t padding = 32;
  std::vector<Entry> entries;
  std::vector<Tensor> tensors;

  void set(const std::string& key, GgufKind kind, std::string value) {
    for (Entry& entry : entries)
      if (entry.key == key) {
        entry.kind = kind;
        entry.value = std::move(value);
        return;
      }
    entries.push_back({key, kind, std::move(value)});
  }
  void set(const std::string& key, uint32_t value) { set(key, GgufKind::u32, raw(value)); }
  void set(const std::string& key, float value) { set(key, GgufKind::f32, raw(value)); }
  void set(const std::string& key, bool value) { set(key, GgufKind::boolean, raw(value)); }
  void set(const std::string& key, const char* value) {
    set(key, GgufKind::string, raw_text(value));
  }
  template <typename T>
  void set(const std::string& key, GgufKind kind, const std::vector<T>& values) {
    set(key, GgufKind::array, raw_array(kind, values));
  }
  void remove(const std::string& key) {
    std::erase_if(entries, [&](const Entry& entry) { return entry.key == key; });
  }
  Tensor& tensor(const std::string& name) {
    for (Tensor& t : tensors)
      if (t.name == name) return t;
    throw std::logic_error("no tensor " + name);
  }

  std::string bytes() const {
    std::string file = magic + raw(version) + raw(uint64_t(tensors.size() + more_tensors)) +
                       raw(uint64_t(entries.size() + more_entries));
    for (const Entry& e : entries) file += raw_text(e.key) + raw(uint32_t(e.kind)) + e.value;
    std::string data;
    for (const Tensor& t : tensors) {
      data.resize((data.size() + padding - 1) / padding * padding);
      file += raw_text(t.name) + raw(uint32_t(t.shape.size()));
      for (size_t i = t.shape.size(); i-- > 0;) file += raw(t.shape[i]);
      file += raw(t.type) + raw(uint64_t(int64_t(data.size()) + t.shift));
      data += t.bytes;
    }
    if (!tensors.empty()) file.resize((file.size() + padding - 1) / padding * padding);
    return file + data;
  }
};

}  // namespace mxref
