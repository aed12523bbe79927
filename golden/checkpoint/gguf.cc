#include "golden/checkpoint/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "emu/error.h"
#include "emu/files/mapped_file.h"
#include "emu/hex.h"
#include "golden/checkpoint/containers.h"

namespace mxref {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF data is little-endian");

struct KindRow {
  std::string_view name;
  size_t bytes;  // 0: not of fixed size
};
constexpr std::array<KindRow, 13> kinds{{{"u8", 1},
                                         {"i8", 1},
                                         {"u16", 2},
                                         {"i16", 2},
                                         {"u32", 4},
                                         {"i32", 4},
                                         {"f32", 4},
                                         {"bool", 1},
                                         {"string", 0},
                                         {"array", 0},
                                         {"u64", 8},
                                         {"i64", 8},
                                         {"f64", 8}}};

// Reads the file from its start; never past its end.
class Cursor {
 public:
  Cursor(const GgufFile& file, std::span<const std::byte> all) : file_(file), all_(all) {}

  size_t position() const { return at_; }

  std::span<const std::byte> take(uint64_t bytes, const std::string& what) {
    if (bytes > all_.size() - at_)
      file_.refuse(what + " at byte " + std::to_string(at_) + " needs " + std::to_string(bytes) +
                   " bytes; the file has " + std::to_string(all_.size() - at_) +
                   " left (truncated, or a length that lies)");
    const auto taken = all_.subspan(at_, size_t(bytes));
    at_ += size_t(bytes);
    return taken;
  }
  template <typename T>
  T number(const std::string& what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  std::string_view text(const std::string& what) {
    const auto bytes = take(number<uint64_t>("the length of " + what), what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // A number of things of which each takes at least `least_bytes`.
  uint64_t count(const std::string& what, size_t least_bytes) {
    const auto n = number<uint64_t>("the number of " + what);
    if (n > (all_.size() - at_) / least_bytes)
      file_.refuse("says that it has " + std::to_string(n) + " " + what + "; its " +
                   std::to_string(all_.size()) + " bytes cannot hold them");
    return n;
  }

 private:
  const GgufFile& file_;
  std::span<const std::byte> all_;
  size_t at_ = 0;
};

// "7b 22 61 22 ({"a")"
std::string shown_bytes(std::string_view bytes) {
  if (bytes.empty()) return "nothing, as it is empty";
  std::string hex, text;
  for (char byte : bytes) {
    hex += to_hex(uint8_t(byte), 2) + " ";
    text += byte >= ' ' && byte <= '~' ? byte : '.';
  }
  return hex + "(" + text + ")";
}

GgufKind read_kind(const GgufFile& file, Cursor& cursor, const std::string& what) {
  const auto kind = cursor.number<uint32_t>("the type of " + what);
  if (kind >= kinds.size()) file.refuse(what + " has the unknown type " + std::to_string(kind));
  return GgufKind(kind);
}

GgufValue read_value(const GgufFile& file, Cursor& cursor, std::span<const std::byte> all,
                     const std::string& key) {
  const std::string what = "metadata '" + key + "'";
  GgufValue value{read_kind(file, cursor, what), false, 1, {}};
  if (value.kind == GgufKind::array) {
    value.is_array = true;
    value.kind = read_kind(file, cursor, what + " (elements)");
    if (value.kind == GgufKind::array)
      file.refuse(what + " is an array of arrays; expected numbers or strings");
  }
  const size_t width = kinds[size_t(value.kind)].bytes;
  if (value.is_array) value.count = cursor.count("elements of " + what, width ? width : 8);
  const size_t start = cursor.position();
  if (width > 0)
    cursor.take(value.count * width, what);  // no overflow: count() has compared them
  else
    for (uint64_t i = 0; i < value.count; ++i) cursor.text(what);
  value.bytes = all.subspan(start, cursor.position() - start);
  if (value.kind == GgufKind::boolean)
    for (std::byte b : value.bytes)
      if (uint8_t(b) > 1) file.refuse(what + " holds a bool that is neither 0 nor 1");
  return value;
}

struct PlacedTensor {
  GgufTensor tensor;
  uint64_t offset, bytes;  // in the data
};

PlacedTensor read_tensor(const GgufFile& file, Cursor& cursor, uint64_t alignment) {
  PlacedTensor placed;
  GgufTensor& tensor = placed.tensor;
  tensor.name = cursor.text("a tensor's name");
  const std::string what = "tensor '" + tensor.name + "'";
  const auto dimensions = cursor.number<uint32_t>(what);
  if (dimensions < 1 || dimensions > 4)
    file.refuse(what + " has " + std::to_string(dimensions) + " dimensions; expected 1 to 4");
  for (uint32_t i = 0; i < dimensions; ++i) {
    const auto extent = cursor.number<uint64_t>(what);
    if (extent < 1 || extent > uint64_t(INT64_MAX))
      file.refuse(what + " has an extent of " + std::to_string(extent));
    tensor.shape.insert(tensor.shape.begin(), int64_t(extent));
  }
  const auto id = cursor.number<uint32_t>(what);
  tensor.type = find_gguf_type(id);
  if (!tensor.type) file.refuse(what + " has the unknown element type " + std::to_string(id));
  if (tensor.shape.back() % tensor.type->block_elements != 0)
    file.refuse(what + " has rows of " + std::to_string(tensor.shape.back()) + "; " +
                std::string(tensor.type->name) + " needs a multiple of " +
                std::to_string(tensor.type->block_elements));
  int64_t bytes = tensor.type->block_bytes;
  bool overflow =
      __builtin_mul_overflow(bytes, tensor.shape.back() / tensor.type->block_elements, &bytes);
  for (size_t i = 0; i + 1 < tensor.shape.size(); ++i)
    overflow |= __builtin_mul_overflow(bytes, tensor.shape[i], &bytes);
  if (overflow) file.refuse(what + ": its size overflows");
  placed.bytes = uint64_t(bytes);
  placed.offset = cursor.number<uint64_t>(what);
  if (placed.offset % alignment != 0)
    file.refuse(what + " has the offset " + std::to_string(placed.offset) +
                "; expected a multiple of the alignment " + std::to_string(alignment));
  return placed;
}

// Tensors lie one after the other, each at the next multiple of the alignment.
void place(const GgufFile& file, std::vector<PlacedTensor>& tensors,
           std::span<const std::byte> data, uint64_t alignment) {
  std::sort(tensors.begin(), tensors.end(),
            [](const PlacedTensor& a, const PlacedTensor& b) { return a.offset < b.offset; });
  uint64_t end = 0;
  for (PlacedTensor& t : tensors) {
    const std::string what = "tensor '" + t.tensor.name + "'";
    if (t.offset < end) file.refuse(what + " overlaps another");
    if (t.offset - end >= alignment) file.refuse("bytes before " + what + " belong to no tensor");
    if (t.offset > data.size() || t.bytes > data.size() - t.offset)
      file.refuse(what + " needs bytes " + std::to_string(t.offset) + " to " +
                  std::to_string(t.offset + t.bytes) + " of the data; the file has " +
                  std::to_string(data.size()));
    t.tensor.bytes = data.subspan(size_t(t.offset), size_t(t.bytes));
    end = t.offset + t.bytes;
  }
  if (data.size() >= end + alignment) file.refuse("bytes at the end belong to no tensor");
}

uint64_t read_alignment(const GgufFile& file) {
  const uint64_t alignment = file.get<uint64_t>("general.alignment").value_or(32);
  if (!std::has_single_bit(alignment) || alignment > (1u << 31))
    file.refuse("metadata 'general.alignment' is " + std::to_string(alignment) +
                "; expected a power of two");
  return alignment;
}

}  // namespace

void GgufFile::refuse(const std::string& what) const {
  throw InputError(path_.string() + ": " + what);
}

GgufFile GgufFile::open(const std::filesystem::path& path) {
  GgufFile file;
  file.path_ = path;
  const auto [all, mapping] = map_file(path);
  file.mapping_ = mapping;
  Cursor cursor(file, all);
  constexpr std::string_view magic = "GGUF";
  const std::string_view first(reinterpret_cast<const char*>(all.data()),
                               std::min(all.size(), magic.size()));
  if (first != magic)
    file.refuse("is no GGUF file, it begins with " + shown_bytes(first) + "; expected " +
                model_forms);
  cursor.take(magic.size(), "the magic number");
  const auto version = cursor.number<uint32_t>("the version");
  if (version == __builtin_bswap32(2) || version == __builtin_bswap32(3))
    file.refuse("is a big-endian GGUF file; expected little-endian");
  if (version != 2 && version != 3)
    file.refuse("is GGUF version " + std::to_string(version) + "; expected 2 or 3");
  const uint64_t tensors = cursor.count("tensors", 8 + 4 + 8 + 4 + 8);
  const uint64_t entries = cursor.count("metadata entries", 8 + 4 + 1);

  for (uint64_t i = 0; i < entries; ++i) {
    const std::string key(cursor.text("a metadata key"));
    if (!file.metadata_.emplace(key, read_value(file, cursor, all, key)).second)
      file.refuse("has metadata '" + key + "' twice");
  }
  const uint64_t alignment = read_alignment(file);
  std::vector<PlacedTensor> placed;
  for (uint64_t i = 0; i < tensors; ++i) placed.push_back(read_tensor(file, cursor, alignment));
  if (tensors > 0) {
    const size_t padding = -cursor.position() & (alignment - 1);
    cursor.take(padding, "the padding before the data");
    place(file, placed, all.subspan(cursor.position()), alignment);
  }
  for (PlacedTensor& t : placed) file.tensors_.push_back(std::move(t.tensor));
  std::sort(file.tensors_.begin(), file.tensors_.end(),
            [](const GgufTensor& a, const GgufTensor& b) { return a.name < b.name; });
  const auto twice =
      std::adjacent_find(file.tensors_.begin(), file.tensors_.end(),
                         [](const GgufTensor& a, const GgufTensor& b) { return a.name == b.name; });
  if (twice != file.tensors_.end()) file.refuse("has tensor '" + twice->name + "' twice");
  return file;
}

const GgufTensor* GgufFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const GgufTensor& t, std::string_view n) { return t.name < n; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

}  // namespace mxref
