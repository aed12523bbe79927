#include "golden/checkpoint/own_layouts.h"

#include <array>
#include <bit>
#include <set>
#include <unordered_map>

#include "emu/binary32.h"
#include "emu/error.h"
#include "emu/files/quantized.h"
#include "emu/quantize.h"

namespace mxref::own_layouts {
namespace {

// Finds codes by what they stand for.
class Inverse {
 public:
  explicit Inverse(const Conversion& conversion) : conversion_(conversion) {}

  void set_tensor_scale(float g) {
    if (g == tensor_scale_) return;
    tensor_scale_ = g;
    for (auto& codes : codes_) codes.clear();
  }
  // nullptr where no code has the value under the scale.
  const uint8_t* find(float value, uint8_t scale) {
    auto& codes = codes_[scale];
    const BlockFormat& format = *conversion_.format;
    if (codes.empty())
      for (uint32_t code = 0; code <= format.element->code_mask(); ++code)
        codes.emplace(std::bit_cast<uint32_t>(dequantize_element(
                          format, uint8_t(code), scale, conversion_.prescale, tensor_scale_)),
                      uint8_t(code));
    const auto found = codes.find(std::bit_cast<uint32_t>(value));
    return found != codes.end() ? &found->second : nullptr;
  }

 private:
  Conversion conversion_;
  float tensor_scale_ = 1;
  std::array<std::unordered_map<uint32_t, uint8_t>, 256> codes_;  // by the bits of the value
};

MxTensor recover(const RawTensor& values, const SafetensorsFile& scales, const std::string& layer) {
  const std::vector<float> x = to_binary32(*values.file, *values.view);
  MxTensor q = read_scales(scales, layer, values.view->shape);
  q.codes.resize(x.size());
  Inverse inverse(q.conversion);
  for (int64_t row = 0; row < q.rows(); ++row) {
    inverse.set_tensor_scale(q.tensor_scale(row));
    for (int64_t k = 0; k < q.cols(); ++k) {
      const size_t i = size_t(row * q.cols() + k);
      const uint8_t* code = inverse.find(x[i], q.row_scales(row)[size_t(k / q.block())]);
      if (!code)
        refuse_tensor(values, "holds " + std::to_string(x[i]) + " at element " + std::to_string(i) +
                                  ", which is no value of " + std::string(q.format().name) +
                                  " under the scale in " + std::string(scales_file) +
                                  "; where the weights were changed, remove that file");
      q.codes[i] = *code;
    }
  }
  return q;
}

}  // namespace

StoredTensors take_layers(RawTensors& raw) {
  std::set<const SafetensorsFile*> files;
  for (const auto& [name, tensor] : raw) files.insert(tensor.file);
  StoredTensors stored;
  for (const SafetensorsFile* file : files)
    for (const std::string& layer : quantized_names(*file)) {
      const Conversion conversion = read_conversion_metadata(*file, layer);
      const std::vector<int64_t> shape = quantized_shape(*file, layer, conversion);
      const std::string name = layer + std::string(weight_suffix);
      RawTensor codes{};
      int64_t bytes = 0;
      for (const char* suffix : {".tensor_scale", ".scales", ".packed", ".codes"})
        if (const auto part = raw.find(layer + suffix); part != raw.end()) {
          codes = part->second;
          bytes += int64_t(codes.view->bytes.size());
          raw.erase(part);
        }
      if (!codes.view)
        throw InputError(file->path().string() + ": quantized tensor '" + layer +
                         "' is not in the index of the folder");
      const auto [place, fresh] = stored.emplace(
          name, StoredTensor(codes, shape, *conversion.format, bytes,
                             [file, layer] { return read_quantized(*file, layer); }));
      if (!fresh || raw.contains(name))
        refuse_tensor(codes, "stands beside another '" + name + "'; expected one");
    }
  return stored;
}

StoredTensors take_dequantized(RawTensors& raw, const SafetensorsFile& scales) {
  StoredTensors stored;
  for (const std::string& layer : quantized_names(scales)) {
    const std::string name = layer + std::string(weight_suffix);
    const auto values = raw.find(name);
    if (values == raw.end())
      throw InputError(scales.path().string() + ": has scales of '" + layer +
                       "', and the model has no tensor '" + name + "'");
    const MxTensor form = read_scales(scales, layer, values->second.view->shape);
    const RawTensor tensor = values->second;
    stored.emplace(name, StoredTensor(tensor, tensor.view->shape, form.format(),
                                      int64_t(tensor.view->bytes.size() + form.scales.size()),
                                      [tensor, layer, file = &scales] {
                                        return recover(tensor, *file, layer);
                                      }));
    raw.erase(values);
  }
  return stored;
}

}  // namespace mxref::own_layouts
