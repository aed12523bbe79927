#pragma once
// Fields of a JSON object that a person wrote; errors name the field.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {

// An object of a file. `where` is its path ("recipes.1"), empty at the root.
class Fields {
 public:
  // Throws UsageError where `object` is none, or has a field that is not valid.
  Fields(const nlohmann::json& object, std::string where, std::vector<std::string_view> valid)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) throw UsageError(where_ + ": is no object: " + shown(object));
    for (const auto& [key, value] : object.items())
      if (std::find(valid.begin(), valid.end(), key) == valid.end())
        throw UsageError((where_.empty() ? "" : where_ + ": ") + unknown_name("field", key, valid));
  }
  bool has(const char* key) const { return object_.contains(key); }
  std::string path(const char* key) const { return where_.empty() ? key : where_ + "." + key; }

  const nlohmann::json& required(const char* key) const {
    if (!has(key)) throw UsageError((where_.empty() ? "" : where_ + ": ") + "has no '" + key + "'");
    return object_[key];
  }
  std::string text(const char* key, const std::string& absent) const {
    if (!has(key)) return absent;
    if (!object_[key].is_string() || object_[key].get<std::string>().empty())
      throw UsageError(path(key) + ": " + shown(object_[key]) + " is no text");
    return object_[key];
  }
  std::string text(const char* key) const { return required(key), text(key, ""); }
  bool flag(const char* key) const {
    if (!has(key)) return false;
    if (!object_[key].is_boolean())
      throw UsageError(path(key) + ": " + shown(object_[key]) + " is neither true nor false");
    return object_[key];
  }
  template <typename T>
  T number(const char* key, T absent, T least, T most) const {
    if (!has(key)) return absent;
    const nlohmann::json& value = object_[key];
    if (!value.is_number_unsigned() || value.get<uint64_t>() < uint64_t(least) ||
        value.get<uint64_t>() > uint64_t(most))
      throw UsageError(path(key) + ": " + shown(value) + " is no number from " +
                       std::to_string(least) + " to " + std::to_string(most));
    return value.get<T>();
  }
  // use(value, path) of each element of an array, of which there is one at least.
  template <typename Use>
  void each(const char* key, const Use& use) const {
    const nlohmann::json& list = required(key);
    if (!list.is_array() || list.empty())
      throw UsageError(path(key) + ": " + shown(list) + " is no list of at least one");
    for (size_t i = 0; i < list.size(); ++i) use(list[i], path(key) + "." + std::to_string(i));
  }

 private:
  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace mxref
