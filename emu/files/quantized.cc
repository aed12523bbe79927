#include "emu/files/quantized.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

#include "emu/error.h"
#include "emu/quantize.h"

namespace mxref {
namespace {

constexpr std::string_view prefix = "mxref.", codes_suffix = ".codes", packed_suffix = ".packed",
                           scales_suffix = ".scales", tensor_scale_suffix = ".tensor_scale";
constexpr std::array suffixes{codes_suffix, packed_suffix, scales_suffix, tensor_scale_suffix};

// A field of a tensor's metadata, `mxref.NAME.FIELD`: of which conversions it speaks, how it is
// written, and read into a conversion. `read` throws UsageError.
struct Field {
  std::string_view name;
  bool (*applies)(const Conversion& conversion);
  std::string (*write)(const Conversion& conversion);
  void (*read)(std::string_view text, Conversion& conversion);
  bool optional = false;  // what it says where it is absent is the default
};

bool always(const Conversion&) { return true; }
bool has_rule(const Conversion& c) { return !c.format->has_tensor_scale(); }

uint64_t parse_seed(std::string_view text) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw UsageError("seed '" + std::string(text) + "' is no number from 0 to 2^64-1");
  return seed;
}

// The format comes first: the others depend on it.
constexpr std::array fields{
    Field{"format", always, [](const Conversion& c) { return std::string(c.format->name); },
          [](std::string_view text, Conversion& c) { c.format = &block_format(text); }},
    Field{"block", always, [](const Conversion& c) { return std::to_string(c.block); },
          [](std::string_view text, Conversion& c) { c.block = parse_block_length(text); }},
    Field{"scale_rule", has_rule, [](const Conversion& c) { return std::string(c.rule->name); },
          [](std::string_view text, Conversion& c) { c.rule = &scale_rule(text); }},
    Field{"rounding", always, [](const Conversion& c) { return std::string(c.rounding->name); },
          [](std::string_view text, Conversion& c) { c.rounding = &rounding(text); }},
    Field{"seed", [](const Conversion& c) { return c.rounding->stochastic; },
          [](const Conversion& c) { return std::to_string(c.seed); },
          [](std::string_view text, Conversion& c) { c.seed = parse_seed(text); }},
    Field{"prescale", has_rule, [](const Conversion& c) { return to_string(c.prescale); },
          [](std::string_view text, Conversion& c) { c.prescale = parse_prescale(text); }},
    Field{"relabel", has_rule,
          [](const Conversion& c) { return std::string(c.relabel ? "true" : ""); },
          [](std::string_view text, Conversion& c) {
            if (text != "true") throw UsageError("is '" + std::string(text) + "'; expected true");
            c.relabel = true;
          },
          /*optional=*/true},
};
// Beside them: the shape of a tensor whose codes are packed.
constexpr std::string_view shape_field = "shape";

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

void refuse_unknown_metadata(const SafetensorsFile& file, const std::string& name) {
  std::vector<std::string_view> valid{shape_field};
  for (const Field& field : fields) valid.push_back(field.name);
  for (const auto& [key, value] : file.metadata()) {
    const auto parsed = parse_key(key);
    if (parsed && parsed->name == name && std::ranges::find(valid, parsed->field) == valid.end())
      refuse(file, name, "metadata '" + key + "': " + unknown_name("field", parsed->field, valid));
  }
}

}  // namespace

Conversion read_conversion_metadata(const SafetensorsFile& file, const std::string& name,
                                    const Conversion* where_silent) {
  refuse_unknown_metadata(file, name);
  Conversion conversion = where_silent ? *where_silent : Conversion{};
  for (const Field& field : fields) {
    const std::string key = key_of(name, field.name);
    const auto at = file.metadata().find(key);
    const bool applies = field.applies(conversion);
    if (at == file.metadata().end()) {
      if (applies && !field.optional && !where_silent)
        refuse(file, name, "metadata has no '" + key + "'");
      continue;
    }
    if (!applies) refuse(file, name, "metadata '" + key + "' means nothing for this conversion");
    try {
      field.read(at->second, conversion);
    } catch (const UsageError& e) {
      refuse(file, name, "metadata '" + key + "': " + e.what());
    }
  }
  try {
    check_conversion(conversion);
  } catch (const UsageError& e) {
    refuse(file, name, std::string("metadata: ") + e.what());
  }
  return conversion;
}

namespace {

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

int64_t packed_bytes(int64_t K, int bits) { return (K * bits + 7) / 8; }

// Rows of K codes ↔ rows of bytes, element 0 in the lowest bits.
std::vector<uint8_t> pack(const MxTensor& q) {
  const int bits = q.element().bits();
  const int64_t row_bytes = packed_bytes(q.cols(), bits);
  std::vector<uint8_t> bytes(size_t(q.rows() * row_bytes));
  for (int64_t row = 0; row < q.rows(); ++row)
    for (int64_t k = 0; k < q.cols(); ++k) {
      const uint32_t shifted = uint32_t(q.codes[size_t(row * q.cols() + k)]) << (k * bits % 8);
      uint8_t* to = bytes.data() + row * row_bytes + k * bits / 8;
      to[0] |= uint8_t(shifted);
      if (shifted >> 8) to[1] |= uint8_t(shifted >> 8);
    }
  return bytes;
}
std::vector<uint8_t> unpack(const std::vector<uint8_t>& bytes, int64_t rows, int64_t K, int bits) {
  const int64_t row_bytes = packed_bytes(K, bits);
  std::vector<uint8_t> codes(size_t(rows * K));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < K; ++k) {
      const int64_t at = k * bits / 8;
      const uint8_t* from = bytes.data() + row * row_bytes + at;
      const uint32_t word = from[0] | uint32_t(at + 1 < row_bytes ? from[1] : 0) << 8;
      codes[size_t(row * K + k)] = uint8_t(word >> (k * bits % 8) & ((1u << bits) - 1));
    }
  return codes;
}

// "2,3,37"
std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (int64_t n : shape) text += (text.empty() ? "" : ",") + std::to_string(n);
  return text;
}
std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  std::vector<int64_t> shape;
  for (const char* at = text.data(); at <= text.data() + text.size(); ++at) {
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), shape.emplace_back());
    if (error != std::errc() || shape.back() < 0) return {};
    if (end != text.data() + text.size() && *end != ',') return {};
    at = end;
  }
  return shape;
}

// The shape of packed codes: what the metadata says, or full rows.
std::vector<int64_t> packed_shape(const SafetensorsFile& file, const std::string& name,
                                  const TensorView& packed, int bits) {
  std::vector<int64_t> shape = packed.shape;
  if (shape.empty()) refuse(file, name, "'" + packed.name + "' is a scalar");
  const auto said = file.metadata().find(key_of(name, shape_field));
  if (said == file.metadata().end()) {
    if (shape.back() * 8 % bits != 0)
      refuse(file, name,
             "'" + packed.name + "' of shape " + to_string(shape) +
                 " holds no whole number of codes a row; expected '" + key_of(name, shape_field) +
                 "' in the metadata");
    shape.back() = shape.back() * 8 / bits;
    return shape;
  }
  const auto parsed = parse_shape(said->second);
  if (!parsed)
    refuse(file, name,
           "metadata '" + said->first + "' is '" + said->second +
               "'; expected numbers such as 2,3,37");
  constexpr int64_t most = int64_t(1) << 56;  // far above what a file holds: no product overflows
  std::vector<int64_t> expected = *parsed;
  if (!expected.empty())
    expected.back() = expected.back() < most ? packed_bytes(expected.back(), bits) : most;
  if (expected != shape)
    refuse(file, name,
           "'" + packed.name + "' has shape " + to_string(shape) + "; expected " +
               to_string(expected) + " for codes of shape " + to_string(*parsed));
  return *parsed;
}

// What is not a code must be 0: bits behind a row's last code.
void check_padding(const SafetensorsFile& file, const std::string& name, const TensorView& packed,
                   const MxTensor& q) {
  if (pack(q) != bytes_of(packed))
    refuse(file, name, "'" + packed.name + "' has bits set behind the last code of a row");
}

void read_codes(const SafetensorsFile& file, const std::string& name, MxTensor& tensor) {
  const int bits = tensor.element().bits();
  const bool is_packed = file.find(name + std::string(packed_suffix)) != nullptr;
  if (is_packed && file.find(name + std::string(codes_suffix)))
    refuse(file, name, "has both '" + name + ".codes' and '" + name + ".packed'; expected one");
  if (!is_packed && file.metadata().contains(key_of(name, shape_field)))
    refuse(file, name, "metadata '" + key_of(name, shape_field) + "' belongs to packed codes");
  const TensorView& codes = bytes_tensor(file, name, is_packed ? packed_suffix : codes_suffix);
  tensor.shape = is_packed ? packed_shape(file, name, codes, bits) : codes.shape;
  if (codes.shape.empty() || codes.elements() == 0)
    refuse(file, name, "'" + codes.name + "' of shape " + to_string(codes.shape) + " is empty");
  tensor.codes = bytes_of(codes);
  if (is_packed) {
    tensor.codes = unpack(tensor.codes, tensor.rows(), tensor.cols(), bits);
    check_padding(file, name, codes, tensor);
  }
  const auto above = std::ranges::find_if(tensor.codes, [&](uint8_t code) { return code >> bits; });
  if (above != tensor.codes.end())
    refuse(file, name,
           "'" + codes.name + "' element " + std::to_string(above - tensor.codes.begin()) + " is " +
               std::to_string(*above) + ", above the " + std::to_string(bits) + " bits of " +
               std::string(tensor.element().name));
}

void read_tensor_scales(const SafetensorsFile& file, const std::string& name, MxTensor& tensor) {
  const TensorView* g = file.find(name + std::string(tensor_scale_suffix));
  if (!tensor.format().has_tensor_scale()) {
    if (g)
      refuse(file, name, "'" + g->name + "' means nothing in " + std::string(tensor.format().name));
    return;
  }
  if (!g)
    refuse(file, name, "there is no tensor '" + name + std::string(tensor_scale_suffix) + "'");
  if (g->dtype != DType::F32)
    refuse(file, name, "'" + g->name + "' is " + std::string(name_of(g->dtype)) + "; expected F32");
  const std::vector<int64_t> one{1}, rows{tensor.rows()};
  if (g->shape != one && g->shape != rows)
    refuse(file, name,
           "'" + g->name + "' has shape " + to_string(g->shape) + "; expected (1) or " +
               to_string(rows));
  tensor.tensor_scales = to_binary32(file, *g);
  tensor.conversion.scale_by_row = g->shape == rows && rows != one;
  for (float value : tensor.tensor_scales)
    if (!(value > 0 && value <= std::numeric_limits<float>::max()))
      refuse(file, name,
             "'" + g->name + "' holds " + std::to_string(value) +
                 "; expected numbers that are finite and above 0");
}

// `tensor` has its conversion and shape.
void read_scales_into(const SafetensorsFile& file, const std::string& name, MxTensor& tensor) {
  const TensorView& scales = bytes_tensor(file, name, scales_suffix);
  std::vector<int64_t> shape = tensor.shape;
  shape.back() = tensor.blocks_per_row();
  if (scales.shape != shape)
    refuse(file, name,
           "'" + scales.name + "' has shape " + to_string(scales.shape) + "; expected " +
               to_string(shape) + ", one scale for each block of " +
               std::to_string(tensor.block()));
  tensor.scales = bytes_of(scales);
  read_tensor_scales(file, name, tensor);
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
    for (std::string_view suffix : suffixes)
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
    if (std::ranges::none_of(suffixes, [&](auto suffix) { return t.name.ends_with(suffix); }))
      throw InputError(file.path().string() + ": tensor '" + t.name +
                       "' is part of no quantized tensor");
  return names;
}

std::vector<int64_t> quantized_shape(const SafetensorsFile& file, const std::string& name,
                                     const Conversion& conversion) {
  const bool is_packed = file.find(name + std::string(packed_suffix)) != nullptr;
  const TensorView& codes = bytes_tensor(file, name, is_packed ? packed_suffix : codes_suffix);
  return is_packed ? packed_shape(file, name, codes, conversion.format->element->bits())
                   : codes.shape;
}

MxTensor read_quantized(const SafetensorsFile& file, const std::string& name,
                        const Conversion* where_silent) {
  if (!file.find(name + std::string(packed_suffix)))
    bytes_tensor(file, name, codes_suffix);  // named before what the metadata lacks
  MxTensor tensor{read_conversion_metadata(file, name, where_silent), {}, {}, {}};
  bytes_tensor(file, name, scales_suffix);
  read_codes(file, name, tensor);
  read_scales_into(file, name, tensor);
  return tensor;
}

MxTensor read_scales(const SafetensorsFile& file, const std::string& name,
                     const std::vector<int64_t>& shape) {
  for (std::string_view suffix : {codes_suffix, packed_suffix})
    if (file.find(name + std::string(suffix)))
      refuse(file, name, "has codes; expected scales alone");
  MxTensor tensor{read_conversion_metadata(file, name), shape, {}, {}};
  if (shape.empty()) refuse(file, name, "belongs to a scalar");
  read_scales_into(file, name, tensor);
  return tensor;
}

void add_quantized(SafetensorsWriter& writer, const std::string& name, const MxTensor& tensor,
                   bool packed) {
  if (packed) {
    std::vector<int64_t> shape = tensor.shape;
    shape.back() = packed_bytes(tensor.cols(), tensor.element().bits());
    writer.add(name + std::string(packed_suffix), DType::U8, shape, writer.keep(pack(tensor)));
    writer.set_metadata(key_of(name, shape_field), shape_text(tensor.shape));
  } else {
    writer.add(name + std::string(codes_suffix), DType::U8, tensor.shape, tensor.codes);
  }
  add_scales(writer, name, tensor);
}

void add_scales(SafetensorsWriter& writer, const std::string& name, const MxTensor& tensor) {
  std::vector<int64_t> shape = tensor.shape;
  shape.back() = tensor.blocks_per_row();
  writer.add(name + std::string(scales_suffix), DType::U8, shape, tensor.scales);
  if (!tensor.tensor_scales.empty())
    writer.add(name + std::string(tensor_scale_suffix), DType::F32,
               {int64_t(tensor.tensor_scales.size())}, tensor.tensor_scales);
  add_conversion_metadata(writer, name, tensor.conversion);
}

void add_conversion_metadata(SafetensorsWriter& writer, const std::string& name,
                             const Conversion& conversion) {
  for (const Field& field : fields) {
    if (!field.applies(conversion)) continue;
    const std::string value = field.write(conversion);
    if (!value.empty()) writer.set_metadata(key_of(name, field.name), value);
  }
}

}  // namespace mxref
