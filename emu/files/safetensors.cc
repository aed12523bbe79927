#include "emu/files/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "emu/binary32.h"
#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/json_file.h"
#include "emu/files/mapped_file.h"

namespace mxref {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

struct DTypeRow {
  std::string_view name;
  DType type;
  size_t bytes;
};
constexpr std::array dtypes{
    DTypeRow{"BOOL", DType::BOOL, 1},       DTypeRow{"U8", DType::U8, 1},
    DTypeRow{"I8", DType::I8, 1},           DTypeRow{"F8_E4M3", DType::F8_E4M3, 1},
    DTypeRow{"F8_E5M2", DType::F8_E5M2, 1}, DTypeRow{"I16", DType::I16, 2},
    DTypeRow{"U16", DType::U16, 2},         DTypeRow{"F16", DType::F16, 2},
    DTypeRow{"BF16", DType::BF16, 2},       DTypeRow{"I32", DType::I32, 4},
    DTypeRow{"U32", DType::U32, 4},         DTypeRow{"F32", DType::F32, 4},
    DTypeRow{"F64", DType::F64, 8},         DTypeRow{"I64", DType::I64, 8},
    DTypeRow{"U64", DType::U64, 8},
};

const DTypeRow& row_of(DType type) {
  return *std::find_if(dtypes.begin(), dtypes.end(),
                       [&](const DTypeRow& r) { return r.type == type; });
}

constexpr uint64_t max_header_bytes = 100'000'000;  // the limit of the format's own library

// A list of non-negative integers. Throws InputError with `where`.
std::vector<int64_t> parse_integers(const fs::path& path, const std::string& where,
                                    const json& list) {
  std::vector<int64_t> numbers;
  if (!list.is_array()) refuse_file(path, where + " is no list of integers");
  for (const json& entry : list) {
    if (!entry.is_number_integer() ||
        (entry.is_number_unsigned() && entry.get<uint64_t>() > INT64_MAX) ||
        entry.get<int64_t>() < 0)
      refuse_file(path, where + " holds " + shown(entry) + "; expected integers of at least 0");
    numbers.push_back(entry.get<int64_t>());
  }
  return numbers;
}

TensorView parse_tensor(const fs::path& path, const std::string& name, const json& entry,
                        std::span<const std::byte> data) {
  const std::string where = "tensor '" + name + "'";
  for (const char* field : {"dtype", "shape", "data_offsets"})
    if (!entry.is_object() || !entry.contains(field))
      refuse_file(path, where + " has no '" + field + "'");
  if (!entry["dtype"].is_string()) refuse_file(path, where + ": dtype is no string");
  const auto type_name = entry["dtype"].get<std::string>();
  const auto row =
      std::find_if(dtypes.begin(), dtypes.end(), [&](auto& r) { return r.name == type_name; });
  if (row == dtypes.end()) refuse_file(path, where + " has the unknown dtype '" + type_name + "'");

  TensorView view{name, row->type, parse_integers(path, where + ": shape", entry["shape"]), {}};
  int64_t bytes = int64_t(row->bytes);
  for (int64_t extent : view.shape)
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      refuse_file(path, where + ": shape " + shown(entry["shape"]) + " overflows");

  const auto range = parse_integers(path, where + ": data_offsets", entry["data_offsets"]);
  if (range.size() != 2 || range[0] > range[1] || uint64_t(range[1]) > data.size())
    refuse_file(path, where + ": data_offsets " + shown(entry["data_offsets"]) +
                          " lie outside the file's " + std::to_string(data.size()) +
                          " bytes of data");
  if (range[1] - range[0] != bytes)
    refuse_file(path, where + " of shape " + shown(entry["shape"]) + " and dtype " + type_name +
                          " needs " + std::to_string(bytes) + " bytes; data_offsets give " +
                          std::to_string(range[1] - range[0]));
  view.bytes = data.subspan(size_t(range[0]), size_t(bytes));
  return view;
}

// The ranges must cover the data without overlap or hole.
void check_cover(const fs::path& path, std::vector<TensorView> tensors,
                 std::span<const std::byte> data) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& x, const TensorView& y) {
    return std::pair(x.bytes.data(), x.bytes.size()) < std::pair(y.bytes.data(), y.bytes.size());
  });
  const std::byte* end = data.data();
  for (const TensorView& t : tensors) {
    if (t.bytes.data() < end) refuse_file(path, "tensor '" + t.name + "' overlaps another");
    if (t.bytes.data() > end)
      refuse_file(path, "bytes before tensor '" + t.name + "' belong to no tensor");
    end = t.bytes.data() + t.bytes.size();
  }
  if (end != data.data() + data.size()) refuse_file(path, "bytes at the end belong to no tensor");
}

}  // namespace

std::string_view name_of(DType type) { return row_of(type).name; }
size_t size_of(DType type) { return row_of(type).bytes; }

int64_t TensorView::elements() const {
  int64_t n = 1;
  for (int64_t extent : shape) n *= extent;
  return n;
}

SafetensorsFile SafetensorsFile::open(const fs::path& path) {
  SafetensorsFile file;
  file.path_ = path;
  const auto [all, mapping] = map_file(path);
  file.mapping_ = mapping;
  if (all.size() < 8)
    refuse_file(path, "is shorter than the 8-byte header length of a safetensors file");

  uint64_t header_size = 0;
  std::memcpy(&header_size, all.data(), 8);
  if (header_size > all.size() - 8)
    refuse_file(path, "says that its header has " + std::to_string(header_size) +
                          " bytes; the file has " + std::to_string(all.size()) +
                          " (truncated, or no safetensors file)");
  if (header_size > max_header_bytes)
    refuse_file(path, "has a header of " + std::to_string(header_size) + " bytes; at most " +
                          std::to_string(max_header_bytes) + " are read");
  const auto data = all.subspan(8 + size_t(header_size));
  const json header =
      parse_json_object(path.string() + ": header",
                        {reinterpret_cast<const char*>(all.data()) + 8, size_t(header_size)});

  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      file.tensors_.push_back(parse_tensor(path, name, entry, data));
      continue;
    }
    if (!entry.is_object()) refuse_file(path, "__metadata__ is no JSON object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse_file(path, "__metadata__ field '" + key + "' is no string");
      file.metadata_[key] = value.get<std::string>();
    }
  }
  check_cover(path, file.tensors_, data);
  return file;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(tensors_.begin(), tensors_.end(), name,
                       [](const TensorView& t, std::string_view n) { return t.name < n; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

const TensorView& SafetensorsFile::at(std::string_view name) const {
  const TensorView* tensor = find(name);
  if (!tensor) refuse_file(path_, "has no tensor '" + std::string(name) + "'");
  return *tensor;
}

std::vector<float> to_binary32(const SafetensorsFile& file, const TensorView& tensor) {
  std::vector<float> out(size_t(tensor.elements()));
  const auto each = [&](auto word, auto convert) {
    for (size_t i = 0; i < out.size(); ++i) {
      std::memcpy(&word, tensor.bytes.data() + i * sizeof word, sizeof word);
      out[i] = convert(word);
    }
  };
  if (tensor.dtype == DType::F32)
    each(float{}, [](float x) { return x; });
  else if (tensor.dtype == DType::F16)
    each(uint16_t{}, [](uint16_t x) { return std::bit_cast<float>(binary32::from_binary16(x)); });
  else if (tensor.dtype == DType::BF16)
    each(uint16_t{}, [](uint16_t x) { return std::bit_cast<float>(uint32_t(x) << 16); });
  else
    refuse_file(file.path(), "tensor '" + tensor.name + "' is " +
                                 std::string(name_of(tensor.dtype)) +
                                 "; expected F32, F16 or BF16");
  return out;
}

void SafetensorsWriter::add(std::string name, DType dtype, std::vector<int64_t> shape,
                            std::span<const std::byte> bytes) {
  tensors_.push_back({std::move(name), dtype, std::move(shape), bytes});
}

void SafetensorsWriter::write(const fs::path& path) const {
  // Data in the order of names, wide types first, so that every tensor is aligned to its type.
  std::vector<const TensorView*> order;
  for (const TensorView& t : tensors_) order.push_back(&t);
  std::sort(order.begin(), order.end(), [](const TensorView* x, const TensorView* y) {
    return std::pair(-int(size_of(x->dtype)), x->name) <
           std::pair(-int(size_of(y->dtype)), y->name);
  });
  json header = json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t offset = 0;
  for (const TensorView* t : order) {
    header[t->name] = {{"dtype", name_of(t->dtype)},
                       {"shape", t->shape},
                       {"data_offsets", {offset, offset + t->bytes.size()}}};
    offset += t->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t size = text.size();
  write_atomically(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(&size), 8);
    out.write(text.data(), std::streamsize(text.size()));
    for (const TensorView* t : order)
      out.write(reinterpret_cast<const char*>(t->bytes.data()), std::streamsize(t->bytes.size()));
  });
}

}  // namespace mxref
