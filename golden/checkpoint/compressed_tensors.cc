// The layers that quantization_config describes.

#include "golden/checkpoint/compressed_tensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/quantized.h"
#include "golden/checkpoint/derived_recipe.h"
#include "golden/checkpoint/quantization_config.h"

namespace mxref::compressed_tensors {
namespace {

using nlohmann::json;

// What else the library stores of a layer, none of which is read here.
constexpr std::string_view unread_suffixes[] = {
    ".weight_zero_point", ".weight_shape", ".weight_g_idx", ".input_scale",
    ".input_zero_point",  ".output_scale", ".k_scale",      ".weight_scale_inv"};

std::string type_and_shape(const TensorView& view) {
  return std::string(name_of(view.dtype)) + " " + to_string(view.shape);
}

void require_form(const RawTensor& raw, DType type, const std::vector<int64_t>& shape) {
  if (raw.view->dtype != type || raw.view->shape != shape)
    refuse_tensor(raw, "is " + type_and_shape(*raw.view) + "; expected " +
                           std::string(name_of(type)) + " " + to_string(shape));
}

std::vector<uint8_t> bytes_of(const RawTensor& raw) {
  std::vector<uint8_t> bytes(raw.view->bytes.size());
  std::memcpy(bytes.data(), raw.view->bytes.data(), bytes.size());
  return bytes;
}

float scalar_of(const RawTensor& raw) {
  if (raw.view->dtype != DType::F32 || raw.view->elements() != 1)
    refuse_tensor(raw, "is " + type_and_shape(*raw.view) + "; expected F32 (1)");
  const float value = to_binary32(*raw.file, *raw.view).front();
  if (!(value > 0 && value <= std::numeric_limits<float>::max()))
    refuse_tensor(raw, "is " + std::to_string(value) + "; expected a number above 0");
  return value;
}

// One layer, checked but for its data.
struct Layer {
  RawTensor codes, scales;
  Conversion conversion;
  std::vector<int64_t> shape;
  std::vector<float> tensor_scales;
  bool packed;
};

MxTensor read_layer(const Layer& layer) {
  MxTensor q{layer.conversion, layer.shape, bytes_of(layer.codes), bytes_of(layer.scales),
             layer.tensor_scales};
  if (layer.packed) {
    const std::vector<uint8_t> pairs = std::move(q.codes);
    q.codes.resize(2 * pairs.size());
    for (size_t i = 0; i < pairs.size(); ++i) {
      q.codes[2 * i] = pairs[i] & 15;
      q.codes[2 * i + 1] = pairs[i] >> 4;
    }
  }
  const ScaleFormat& scale = *q.format().scale;
  for (size_t i = 0; i < q.scales.size(); ++i)
    if (scale.is_nan(q.scales[i]) || (scale.number && (q.scales[i] & scale.number->sign_mask())))
      refuse_tensor(layer.scales, "holds the code " + std::to_string(q.scales[i]) + " at element " +
                                      std::to_string(i) +
                                      "; expected scales that are numbers and not negative");
  return q;
}

class LayerReader {
 public:
  LayerReader(RawTensors& raw, const QuantizationConfig& config, const json& tensor_scales)
      : raw_(raw), config_(config), tensor_scales_(tensor_scales) {}

  StoredTensors read() {
    StoredTensors stored;
    std::vector<std::string> modules;
    for (const auto& [name, raw] : raw_) {
      const bool is_codes = name.ends_with(packed_suffix) ||
                            (name.ends_with(weight_suffix) && raw.view->dtype == DType::F8_E4M3);
      if (is_codes) modules.push_back(name.substr(0, name.rfind('.')));
    }
    for (const std::string& module : modules) {
      const Layer layer = take(module);
      const BlockFormat& format = *layer.conversion.format;
      const int64_t bytes =
          int64_t(layer.codes.view->bytes.size() + layer.scales.view->bytes.size() +
                  4 * layer.tensor_scales.size());
      const auto [place, fresh] = stored.emplace(
          module + std::string(weight_suffix), StoredTensor(layer.codes, layer.shape, format, bytes,
                                                            [layer] { return read_layer(layer); }));
      if (!fresh) refuse_tensor(layer.codes, "stands beside '" + place->first + "'; expected one");
      layers_[module] = {config_.scheme_of(module), layer.conversion.prescale};
    }
    refuse_leftovers();
    return stored;
  }
  const std::map<std::string, DerivedLayer>& layers() const { return layers_; }

 private:
  // Taken out of raw_; nullopt where there is none.
  std::optional<RawTensor> take_tensor(const std::string& name) {
    const auto found = raw_.find(name);
    if (found == raw_.end()) return std::nullopt;
    const RawTensor raw = found->second;
    raw_.erase(found);
    return raw;
  }

  Layer take(const std::string& module) {
    const auto name = [&](std::string_view suffix) { return module + std::string(suffix); };
    const bool is_packed = raw_.contains(name(packed_suffix));
    const RawTensor codes = *take_tensor(name(is_packed ? packed_suffix : weight_suffix));
    if (is_packed && raw_.contains(name(weight_suffix)))
      refuse_tensor(codes, "stands beside '" + name(weight_suffix) + "'; expected one");
    const Scheme* scheme = config_.scheme_of(module);
    if (!scheme)
      refuse_tensor(codes, "is quantized, but quantization_config targets no such layer");
    const Form& form = *scheme->form;
    if (form.packed != is_packed)
      refuse_tensor(codes, "is not what quantization_config says; expected '" +
                               name(form.packed ? packed_suffix : weight_suffix) + "' of " +
                               std::string(form.word));
    const BlockFormat& format = block_format(form.format);
    Layer layer{.codes = codes,
                .scales = codes,
                .conversion = {.format = &format},
                .shape = codes.view->shape,
                .tensor_scales = {},
                .packed = is_packed};
    if (layer.shape.size() != 2 || codes.view->elements() == 0)
      refuse_tensor(codes,
                    "has shape " + to_string(layer.shape) + "; expected two extents above 0");
    if (is_packed) {
      require_form(codes, DType::U8, layer.shape);
      layer.shape.back() *= 2;
    }
    if (layer.shape.back() % format.block != 0)
      refuse_tensor(codes, "has rows of " + std::to_string(layer.shape.back()) +
                               " codes; expected a multiple of " + std::to_string(format.block));
    const std::vector<int64_t> scales_shape{layer.shape[0], layer.shape[1] / format.block};
    const auto scales = take_tensor(name(scale_suffix));
    if (!scales)
      refuse_tensor(codes, "has no '" + name(scale_suffix) + "'; expected one of shape " +
                               to_string(scales_shape));
    require_form(*scales, format.has_tensor_scale() ? DType::F8_E4M3 : DType::U8, scales_shape);
    layer.scales = *scales;
    take_global_scale(module, *scheme, layer);
    return layer;
  }

  void take_global_scale(const std::string& module, const Scheme& scheme, Layer& layer) {
    const std::string name = module + std::string(global_scale_suffix);
    const bool is_nvfp4 = layer.conversion.format->has_tensor_scale();
    const auto global = take_tensor(name);
    if (!global && (is_nvfp4 || scheme.by_tensor))
      refuse_tensor(layer.codes, "has no '" + name + "'; expected one F32 (1)");
    if (global && !scheme.by_tensor)
      refuse_tensor(*global, "means nothing under the strategy 'group'; expected 'tensor_group'");
    if (global && is_nvfp4) {
      layer.tensor_scales = {tensor_scale_of(module, *global)};
    } else if (global) {
      const float value = scalar_of(*global);
      const auto prescale = prescale_of(value);
      if (!layer.packed || !prescale)
        refuse_tensor(*global, "is " + std::to_string(value) +
                                   "; expected a fraction of numbers below 2^16, of mxfp4");
      layer.conversion.prescale = *prescale;
    }
    // The library's range of a static tensor scale of activations; here each token has its own.
    if (const auto inputs = take_tensor(module + std::string(input_global_scale_suffix)))
      scalar_of(*inputs);
  }

  // The factor of values where the file has the divisor; the exact one stands under "mxref" where
  // no divisor gives it.
  float tensor_scale_of(const std::string& module, const RawTensor& global) const {
    const float divisor = scalar_of(global);
    float factor = 1 / divisor;
    if (const auto own = tensor_scales_.find(module); own != tensor_scales_.end()) {
      const json& bits = own.value();
      const bool is_binary32 = bits.is_number_unsigned() && bits <= UINT32_MAX;
      if (is_binary32) factor = std::bit_cast<float>(bits.get<uint32_t>());
      if (!is_binary32 || !(1 / factor == divisor))
        refuse_tensor(global, "contradicts the factor " + bits.dump() +
                                  " of config.json, mxref.tensor_scales; expected binary32 bits of "
                                  "what it is the inverse of");
    }
    if (!(factor > 0 && factor <= std::numeric_limits<float>::max()))
      refuse_tensor(global, "has the inverse " + std::to_string(factor) +
                                "; expected a number that is finite and above 0");
    return factor;
  }

  void refuse_leftovers() const {
    for (const auto& [name, raw] : raw_) {
      for (std::string_view suffix : {scale_suffix, global_scale_suffix, input_global_scale_suffix})
        if (name.ends_with(suffix))
          refuse_tensor(raw, "belongs to no quantized layer; expected '" +
                                 name.substr(0, name.size() - suffix.size()) +
                                 std::string(packed_suffix) + "', or '" +
                                 std::string(weight_suffix).substr(1) + "' F8_E4M3, beside it");
      for (std::string_view suffix : unread_suffixes)
        if (name.ends_with(suffix))
          refuse_tensor(raw, "is not known of a layer in " + readable_forms());
      if (!is_linear(name, raw.view->shape)) continue;
      const std::string module = name.substr(0, name.size() - weight_suffix.size());
      if (const Scheme* scheme = config_.scheme_of(module); scheme && module != "lm_head")
        refuse_tensor(raw, "is " + type_and_shape(*raw.view) + "; expected the layer in " +
                               std::string(scheme->form->word) +
                               ", which quantization_config targets and does not ignore");
    }
  }

  RawTensors& raw_;
  const QuantizationConfig& config_;
  const json& tensor_scales_;
  std::map<std::string, DerivedLayer> layers_;
};

}  // namespace

const Form* form_of(std::string_view format) {
  const auto row = std::ranges::find(forms, format, &Form::format);
  return row != forms.end() ? &*row : nullptr;
}

std::string readable_forms() {
  std::string list;
  for (const Form& form : forms) list += (list.empty() ? "" : ", ") + std::string(form.word);
  return list;
}

std::optional<Prescale> prescale_of(float global_scale) {
  constexpr double most = 65535;
  // Convergents of the continued fraction.
  double rest = global_scale, n0 = 0, d0 = 1, n1 = 1, d1 = 0;
  for (int i = 0; i < 40; ++i) {
    const double whole = std::floor(rest), n2 = whole * n1 + n0, d2 = whole * d1 + d0;
    if (n2 > most || d2 > most) return std::nullopt;
    if (n2 > 0 && float(n2) / float(d2) == global_scale)
      return Prescale{uint32_t(n2), uint32_t(d2)};
    if (rest == whole) return std::nullopt;
    rest = 1 / (rest - whole);
    n0 = n1, d0 = d1, n1 = n2, d1 = d2;
  }
  return std::nullopt;
}

StoredTensors take_layers(RawTensors& raw, json& config, const std::string& config_file) {
  const QuantizationConfig described(config["quantization_config"],
                                     config_file + ": quantization_config");
  json own = config.contains("mxref") ? config["mxref"] : json::object();
  json tensor_scales = json::object();
  if (own.is_object() && own.contains("tensor_scales")) tensor_scales = own["tensor_scales"];
  if (!own.is_object() || !tensor_scales.is_object())
    throw InputError(config_file + ": 'mxref' or its 'tensor_scales' is no object");
  // Before layers are taken: plain tensors alone are left.
  std::set<std::string> linear{"lm_head"};
  LayerReader reader(raw, described, tensor_scales);
  StoredTensors stored = reader.read();
  for (const auto& [name, tensor] : raw)
    if (is_linear(name, tensor.view->shape))
      linear.insert(name.substr(0, name.size() - weight_suffix.size()));
  if (stored.empty())
    throw InputError(config_file +
                     ": quantization_config is there, but no layer is quantized; expected tensors "
                     "such as 'LAYER.weight_packed'");
  for (const auto& [module, layer] : reader.layers()) linear.erase(module);
  own.erase("tensor_scales");
  if (!own.contains("recipe")) own["recipe"] = derive_recipe(reader.layers(), linear);
  config["mxref"] = own;
  config.erase("quantization_config");
  return stored;
}

}  // namespace mxref::compressed_tensors
