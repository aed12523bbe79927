#pragma once
// Fields of the JSON files of a tokenizer.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {

// A value in a file, and where it stands. A field that is absent is null.
class JsonNode {
 public:
  JsonNode(const nlohmann::json& value, std::string where)
      : value_(value), where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& reason) const {
    throw InputError(where_ + " " + reason);
  }
  JsonNode operator[](const std::string& field) const {
    static const nlohmann::json null;
    if (!value_.is_object()) fail("is no object");
    const auto found = value_.find(field);
    const std::string path = where_ + (where_.ends_with(':') ? " " : ".") + field;
    return {found != value_.end() ? *found : null, path};
  }
  JsonNode operator[](size_t index) const {
    return {value_[index], where_ + "[" + std::to_string(index) + "]"};
  }
  size_t size() const {
    if (!value_.is_array()) fail("is no array");
    return value_.size();
  }
  const nlohmann::json::object_t& fields() const {
    if (!value_.is_object()) fail("is no object");
    return value_.get_ref<const nlohmann::json::object_t&>();
  }
  const std::string& text() const {
    if (!value_.is_string()) fail("is no string");
    return value_.get_ref<const std::string&>();
  }
  bool flag(bool absent) const {
    if (is_null()) return absent;
    if (!value_.is_boolean()) fail("is neither true nor false");
    return value_.get<bool>();
  }
  int64_t id() const {
    if (!value_.is_number_integer() || value_ < 0 || value_ > INT32_MAX)
      fail("is " + shown(value_) + "; expected a token id");
    return value_.get<int64_t>();
  }
  const std::string& where() const { return where_; }
  bool is_null() const { return value_.is_null(); }
  bool is_array() const { return value_.is_array(); }
  bool is_object() const { return value_.is_object(); }
  // What switches something on that is not computed here.
  void require_off() const {
    if (!is_null() && value_ != false && value_ != "" && value_ != 0)
      fail("is " + shown(value_) + ", which is not supported");
  }

 private:
  const nlohmann::json& value_;
  std::string where_;  // "FILE: field.field"
};

using TokenIds = std::unordered_map<std::string_view, int64_t>;

// "bos_token": null, its text, or an object with its text.
std::optional<int64_t> read_token(const JsonNode& token, const TokenIds& ids);

// bos_token_id and eos_token_id of config.json; of several the first.
std::pair<std::optional<int64_t>, std::optional<int64_t>> read_text_ends(
    const std::filesystem::path& config);

}  // namespace mxref
