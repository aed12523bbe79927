#include "emu/files/quantized.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "emu/error.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

constexpr std::string_view prefix = "mxref.", codes_suffix = ".codes", scales_suffix = ".scales";

// A field of a tensor's metadata, `mxref.NAME.FIELD`: how it is written, and read into a
// conversion. `read` throws UsageError.
struct Field {
  std::string_view name;
  std::string (*write)(const Conversion& conversion);
  void (*read)(std::string_view text, Conversion& conversion);
};

constexpr std::array fields{
    Field{"format", [](const Conversion& c) { return std::string(c.format->name); },
          [](std::string_view text, Conversion& c) { c.format = &block_format(text); }},
    Field{"block", [](const Conversion& c) { return std::to_string(c.block); },
          [](std::string_view text, Conversion& c) { c.block = parse_block_length(text); }},
    Field{"scale_rule", [](const Conversion& c) { return std::string(c.rule->name); },
          [](std::string_view text, Conversion& c) { c.rule = &scale_rule(text); }},
    Field{"rounding", [](const Conversion& c) { return std::string(c.rounding->name); },
          [](std::string_view text, Conversion& c) { c.rounding = &rounding(text); }},
    Field{"prescale", [](const Conversion& c) { return to_string(c.prescale); },
          [](std::string_view text, Conversion& c) { c.prescale = parse_prescale(text); }},
};

std::string key_of(std::string_view name, std::string_view field) {
  return std::string(prefix) + std::string(name) + "." + std::string(field);
}

// "mxref.NAME.FIELD" → NAME and FIELD; NAME may hold dots. Nothing for other keys.
struct Key {
  std::string_view name, field;
};
std::optional<Key> parse_key(std::string_view key) {
  const size_t dot = key.rfind('.');
  if (!key.starts_with(prefix) || dot < prefix.size()) return {};
  return Key{key.substr(prefix.size(), dot - prefix.size()), key.substr(dot + 1)};
}

[[noreturn]] void refuse(const SafetensorsFile& file, std::string_view name,
                         const std::string& what) {
  throw InputError(file.path().string() + ": quantized tensor '" + std::string(name) +
                   "': " + what);
}

Conversion read_metadata(const SafetensorsFile& file, const std::string& name) {
  for (const auto& [key, value] : file.metadata()) {
    const auto parsed = parse_key(key);
    if (!parsed || parsed->name != name) continue;
    try {
      find_by_name(fields, "field", parsed->field);
    } catch (const UsageError& e) {
      refuse(file, name, "metadata '" + key + "': " + e.what());
    }
  }
  Conversion conversion;
  for (const Field& field : fields) {
    const std::string key = key_of(name, field.name);
    const auto at = file.metadata().find(key);
    if (at == file.metadata().end()) refuse(file, name, "metadata has no '" + key + "'");
    try {
      field.read(at->second, conversion);
    } catch (const UsageError& e) {
      refuse(file, name, "metadata '" + key + "': " + e.what());
    }
  }
  return conversion;
}

const TensorView& bytes_tensor(const SafetensorsFile& file, const std::string& name,
                               std::string_view suffix) {
  const TensorView* tensor = file.find(name + std::string(suffix));
  if (!tensor) refuse(file, name, "there is no tensor '" + name + std::string(suffix) + "'");
  if (tensor->dtype != DType::U8)
    refuse(file, name,
           "'" + tensor->name + "' is " + std::string(name_of(tensor->dtype)) + "; expected U8");
  return *tensor;
}

std::vector<uint8_t> bytes_of(const TensorView& tensor) {
  std::vector<uint8_t> bytes(tensor.bytes.size());
  std::memcpy(bytes.data(), tensor.bytes.data(), bytes.size());
  return bytes;
}

}  // namespace

int parse_block_length(std::string_view text) {
  int length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || !is_block_length(length))
    throw UsageError("block length '" + std::string(text) + "' is none of " + block_length_list());
  return length;
}

std::string to_string(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

std::vector<std::string> quantized_names(const SafetensorsFile& file) {
  std::set<std::string> names;
  for (const TensorView& t : file.tensors())
    for (std::string_view suffix : {codes_suffix, scales_suffix})
      if (t.name.ends_with(suffix)) names.insert(t.name.substr(0, t.name.size() - suffix.size()));
  for (const auto& [key, value] : file.metadata())
    if (const auto parsed = parse_key(key)) names.emplace(parsed->name);
  return {names.begin(), names.end()};
}

std::vector<std::string> quantized_names_only(const SafetensorsFile& file) {
  std::vector<std::string> names = quantized_names(file);
  if (names.empty())
    throw InputError(file.path().string() +
                     ": holds no quantized tensor; expected NAME.codes and NAME.scales");
  for (const TensorView& t : file.tensors())
    if (!t.name.ends_with(codes_suffix) && !t.name.ends_with(scales_suffix))
      throw InputError(file.path().string() + ": tensor '" + t.name +
                       "' is part of no quantized tensor");
  return names;
}

MxTensor read_quantized(const SafetensorsFile& file, const std::string& name) {
  const TensorView& codes = bytes_tensor(file, name, codes_suffix);
  const TensorView& scales = bytes_tensor(file, name, scales_suffix);
  MxTensor tensor{read_metadata(file, name), codes.shape, {}, {}};
  if (codes.shape.empty() || codes.elements() == 0)
    refuse(file, name, "'" + codes.name + "' of shape " + to_string(codes.shape) + " is empty");

  std::vector<int64_t> scales_shape = codes.shape;
  scales_shape.back() = tensor.blocks_per_row();
  if (scales.shape != scales_shape)
    refuse(file, name,
           "'" + scales.name + "' has shape " + to_string(scales.shape) + "; expected " +
               to_string(scales_shape) + ", one scale for each block of " +
               std::to_string(tensor.block()));

  tensor.codes = bytes_of(codes);
  tensor.scales = bytes_of(scales);
  const int bits = tensor.element().bits();
  const auto above = std::find_if(tensor.codes.begin(), tensor.codes.end(),
                                  [&](uint8_t code) { return code >> bits; });
  if (above != tensor.codes.end())
    refuse(file, name,
           "'" + codes.name + "' element " + std::to_string(above - tensor.codes.begin()) + " is " +
               std::to_string(*above) + ", above the " + std::to_string(bits) + " bits of " +
               std::string(tensor.element().name));
  return tensor;
}

void add_quantized(SafetensorsWriter& writer, const std::string& name, const MxTensor& tensor) {
  std::vector<int64_t> scales_shape = tensor.shape;
  scales_shape.back() = tensor.blocks_per_row();
  writer.add(name + std::string(codes_suffix), DType::U8, tensor.shape, tensor.codes);
  writer.add(name + std::string(scales_suffix), DType::U8, scales_shape, tensor.scales);
  for (const Field& field : fields)
    writer.set_metadata(key_of(name, field.name), field.write(tensor.conversion));
}

}  // namespace mxref
