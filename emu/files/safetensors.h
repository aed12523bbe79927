#pragma once
// safetensors files: an 8-byte little-endian header length, a JSON header, tensor data.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

enum class DType {
  BOOL,
  U8,
  I8,
  F8_E4M3,
  F8_E5M2,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  F64,
  I64,
  U64
};
std::string_view name_of(DType type);
size_t size_of(DType type);  // bytes

struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;  // () is one element
  std::span<const std::byte> bytes;

  int64_t elements() const;
};

// A file mapped into memory. open() throws InputError that names the file, and the tensor where
// there is one, for a file that cannot be read, a header that is cut, too long or no JSON, an
// unknown type, a shape that is not of non-negative integers or whose size overflows, ranges
// outside the data, of another size than the shape says, overlapping or with holes, and names that
// come twice.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorView>& tensors() const { return tensors_; }  // in order of names
  const TensorView* find(std::string_view name) const;  // nullptr where there is none
  const TensorView& at(std::string_view name) const;    // throws InputError
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> mapping_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// F32, F16 or BF16 → binary32, exactly. Throws InputError that names file and tensor for any other
// type.
std::vector<float> to_binary32(const SafetensorsFile& file, const TensorView& tensor);

// Tensors to be written; data is referred to, not copied, until write() has returned.
class SafetensorsWriter {
 public:
  void add(std::string name, DType dtype, std::vector<int64_t> shape,
           std::span<const std::byte> bytes);
  template <typename T>
  void add(std::string name, DType dtype, std::vector<int64_t> shape, const std::vector<T>& data) {
    add(std::move(name), dtype, std::move(shape), std::as_bytes(std::span(data)));
  }
  template <typename T>
  void add(std::string name, DType dtype, std::vector<int64_t> shape,
           const std::vector<T>&& data) = delete;  // would be gone before write()
  // Data that lives as long as the writer.
  const std::vector<uint8_t>& keep(std::vector<uint8_t> data) {
    return kept_.emplace_back(std::move(data));
  }
  void set_metadata(std::string key, std::string value) {
    metadata_[std::move(key)] = std::move(value);
  }
  // Written beside `path` and renamed when whole; the same tensors give the same bytes. Throws
  // InputError.
  void write(const std::filesystem::path& path) const;

 private:
  std::vector<TensorView> tensors_;
  std::list<std::vector<uint8_t>> kept_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace mxref
