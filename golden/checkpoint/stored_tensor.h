#pragma once
// The tensors of a Hugging Face folder: as its files hold them, and as a model knows them.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"
#include "emu/files/safetensors.h"

namespace mxref {

struct RawTensor {
  const SafetensorsFile* file;
  const TensorView* view;
};
using RawTensors = std::map<std::string, RawTensor>;  // by name

// A tensor of a model: one of a file, or codes and scales that stand in several.
class StoredTensor {
 public:
  explicit StoredTensor(const RawTensor& raw)
      : raw_(raw), shape_(raw.view->shape), bytes_(int64_t(raw.view->bytes.size())) {}
  // `raw`: that which holds the codes, for messages. `read` throws InputError.
  StoredTensor(const RawTensor& raw, std::vector<int64_t> shape, const BlockFormat& format,
               int64_t bytes, std::function<MxTensor()> read)
      : raw_(raw),
        shape_(std::move(shape)),
        format_(&format),
        bytes_(bytes),
        read_(std::move(read)) {}

  const std::vector<int64_t>& shape() const { return shape_; }
  std::string_view type() const { return format_ ? format_->name : name_of(raw_.view->dtype); }
  int64_t bytes() const { return bytes_; }
  const SafetensorsFile& file() const { return *raw_.file; }
  const TensorView& view() const { return *raw_.view; }
  bool is_quantized() const { return format_ != nullptr; }
  MxTensor quantized() const { return read_(); }

 private:
  RawTensor raw_;
  std::vector<int64_t> shape_;
  const BlockFormat* format_ = nullptr;
  int64_t bytes_;
  std::function<MxTensor()> read_;
};
using StoredTensors = std::map<std::string, StoredTensor>;  // by name, as in Hugging Face

// InputError "FILE: tensor 'NAME' what".
[[noreturn]] void refuse_tensor(const RawTensor& raw, const std::string& what);

}  // namespace mxref
