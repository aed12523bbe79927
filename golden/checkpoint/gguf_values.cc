// GgufFile::get: metadata in the types of C++.

#include <cstring>
#include <utility>

#include "golden/checkpoint/gguf.h"

namespace mxref {
namespace {

// Element i of a value of fixed width, as T where its type is one of the integers.
std::optional<int64_t> integer_at(const GgufValue& value, uint64_t i) {
  const auto as = [&](auto number) -> std::optional<int64_t> {
    std::memcpy(&number, value.bytes.data() + i * sizeof number, sizeof number);
    if (!std::in_range<int64_t>(number)) return std::nullopt;
    return int64_t(number);
  };
  switch (value.kind) {
    case GgufKind::u8:
      return as(uint8_t{});
    case GgufKind::i8:
      return as(int8_t{});
    case GgufKind::u16:
      return as(uint16_t{});
    case GgufKind::i16:
      return as(int16_t{});
    case GgufKind::u32:
      return as(uint32_t{});
    case GgufKind::i32:
      return as(int32_t{});
    case GgufKind::u64:
      return as(uint64_t{});
    case GgufKind::i64:
      return as(int64_t{});
    default:
      return std::nullopt;
  }
}

// Element i as binary64 where it is a number.
std::optional<double> number_at(const GgufValue& value, uint64_t i) {
  const auto as = [&](auto number) {
    std::memcpy(&number, value.bytes.data() + i * sizeof number, sizeof number);
    return double(number);
  };
  if (value.kind == GgufKind::f32) return as(float{});
  if (value.kind == GgufKind::f64) return as(double{});
  const auto integer = integer_at(value, i);
  return integer ? std::optional(double(*integer)) : std::nullopt;
}

// The string at the front of `bytes`, which is taken off. Its length was checked by open().
std::string_view take_string(std::span<const std::byte>& bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof length,
                              size_t(length));
  bytes = bytes.subspan(sizeof length + size_t(length));
  return text;
}

[[noreturn]] void refuse_type(const GgufFile& file, std::string_view key, const char* expected) {
  file.refuse("metadata '" + std::string(key) + "' is not " + expected);
}

const GgufValue* find_value(const GgufFile& file, std::string_view key, bool is_array,
                            const char* expected) {
  const auto at = file.metadata().find(key);
  if (at == file.metadata().end()) return nullptr;
  if (at->second.is_array != is_array) refuse_type(file, key, expected);
  return &at->second;
}

}  // namespace

template <>
std::optional<uint64_t> GgufFile::get(std::string_view key) const {
  constexpr auto expected = "an integer from 0 to 2^63 - 1";
  const GgufValue* value = find_value(*this, key, false, expected);
  if (!value) return std::nullopt;
  const auto integer = integer_at(*value, 0);
  if (!integer || *integer < 0) refuse_type(*this, key, expected);
  return uint64_t(*integer);
}

template <>
std::optional<double> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, false, "a number");
  if (!value) return std::nullopt;
  const auto number = number_at(*value, 0);
  if (!number) refuse_type(*this, key, "a number");
  return number;
}

template <>
std::optional<bool> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, false, "a bool");
  if (!value) return std::nullopt;
  if (value->kind != GgufKind::boolean) refuse_type(*this, key, "a bool");
  return value->bytes[0] == std::byte(1);
}

template <>
std::optional<std::string_view> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, false, "a string");
  if (!value) return std::nullopt;
  if (value->kind != GgufKind::string) refuse_type(*this, key, "a string");
  auto bytes = value->bytes;
  return take_string(bytes);
}

template <>
std::optional<std::vector<std::string_view>> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, true, "an array of strings");
  if (!value) return std::nullopt;
  if (value->kind != GgufKind::string) refuse_type(*this, key, "an array of strings");
  std::vector<std::string_view> strings(size_t(value->count));
  auto bytes = value->bytes;
  for (std::string_view& text : strings) text = take_string(bytes);
  return strings;
}

template <>
std::optional<std::vector<int64_t>> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, true, "an array of integers");
  if (!value) return std::nullopt;
  std::vector<int64_t> integers;
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto integer = integer_at(*value, i);
    if (!integer) refuse_type(*this, key, "an array of integers");
    integers.push_back(*integer);
  }
  return integers;
}

template <>
std::optional<std::vector<double>> GgufFile::get(std::string_view key) const {
  const GgufValue* value = find_value(*this, key, true, "an array of numbers");
  if (!value) return std::nullopt;
  std::vector<double> numbers;
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto number = number_at(*value, i);
    if (!number) refuse_type(*this, key, "an array of numbers");
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace mxref
