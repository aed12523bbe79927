// Quantized layers as compressed-tensors reads them.

#include <algorithm>
#include <bit>
#include <cstring>

#include "golden/checkpoint/layout_parts.h"
#include "golden/checkpoint/quantization_config.h"

namespace mxref::compressed_tensors {
namespace {

using nlohmann::json;

std::vector<uint8_t> pairs_of(const std::vector<uint8_t>& codes) {
  std::vector<uint8_t> pairs(codes.size() / 2);
  for (size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = uint8_t(codes[2 * i] | codes[2 * i + 1] << 4);
  return pairs;
}

std::vector<uint8_t> bytes_of(float value) {
  std::vector<uint8_t> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

bool has_prescale(const Conversion& c) { return c.prescale != Prescale{}; }

float global_scale_of(const Conversion& c) {
  return float(c.prescale.numerator) / float(c.prescale.denominator);
}

json side(const Form& form, bool by_tensor, bool dynamic) {
  return {{"num_bits", form.num_bits},
          {"type", "float"},
          {"symmetric", true},
          {"strategy", by_tensor ? "tensor_group" : "group"},
          {"group_size", block_format(form.format).block},
          {"dynamic", dynamic},
          {"scale_dtype", form.scale_dtype}};
}

// What the library does with activations; null where it cannot do what the recipe does: nvfp4 takes
// a tensor scale there that was measured beforehand.
json activations_of(const std::string& layer, const std::optional<Recipe>& recipe) {
  if (!recipe) return nullptr;
  const auto conversion = linear_recipe(*recipe, layer).activations.conversion;
  const Form* form = conversion ? form_of(conversion->format->name) : nullptr;
  if (!form || conversion->format->has_tensor_scale()) return nullptr;
  return side(*form, false, true);
}

}  // namespace

std::string objection_to(const QuantizedLayer& layer) {
  const MxTensor& q = layer.codes;
  const Conversion& c = q.conversion;
  const std::string name = "layer '" + layer.layer + "' ";
  if (!form_of(c.format->name)) return name + "is in " + std::string(c.format->name);
  if (!is_linear(layer.layer + std::string(weight_suffix), q.shape))
    return name + "is no linear layer";
  if (c.block != c.format->block) return name + "has blocks of " + std::to_string(c.block);
  if (q.cols() % c.block != 0)
    return name + "has rows of " + std::to_string(q.cols()) + ", no multiple of " +
           std::to_string(c.block);
  if (c.relabel) return name + "is relabeled";
  if (q.tensor_scales.size() > 1) return name + "has a tensor scale for each row";
  if (has_prescale(c) &&
      (form_of(c.format->name)->packed == false || prescale_of(global_scale_of(c)) != c.prescale))
    return name + "has the pre-scale " + to_string(c.prescale) + " of " +
           std::string(c.format->name);
  return "";
}

void add_layer(const QuantizedLayer& layer, ModelParts& parts) {
  const MxTensor& q = parts.kept.emplace_back(layer.codes);
  const Form& form = *form_of(q.format().name);
  const auto name = [&](std::string_view suffix) { return layer.layer + std::string(suffix); };
  const int64_t N = q.rows(), K = q.cols();
  if (form.packed)
    parts.weights.add(name(packed_suffix), DType::U8, {N, K / 2},
                      parts.weights.keep(pairs_of(q.codes)));
  else
    parts.weights.add(name(weight_suffix), DType::F8_E4M3, {N, K}, q.codes);
  const bool has_tensor_scale = q.format().has_tensor_scale();
  parts.weights.add(name(scale_suffix), has_tensor_scale ? DType::F8_E4M3 : DType::U8,
                    {N, K / q.block()}, q.scales);
  if (!has_tensor_scale && !has_prescale(q.conversion)) return;
  const float divisor = has_tensor_scale ? 1 / q.tensor_scale(0) : global_scale_of(q.conversion);
  parts.weights.add(name(global_scale_suffix), DType::F32, {1},
                    parts.weights.keep(bytes_of(divisor)));
  // Not every number is the inverse of one.
  if (has_tensor_scale && 1 / divisor != q.tensor_scale(0))
    parts.config["mxref"]["tensor_scales"][layer.layer] =
        std::bit_cast<uint32_t>(q.tensor_scale(0));
}

void describe(const std::map<std::string, Conversion>& conversions,
              const std::vector<std::string>& ignored, const std::optional<Recipe>& recipe,
              json& config) {
  struct Group {
    json sides;
    std::string_view word;
    std::vector<std::string> layers;
  };
  std::vector<Group> groups;
  bool one_word = true;
  for (const auto& [layer, conversion] : conversions) {
    const Form& form = *form_of(conversion.format->name);
    const bool by_tensor = conversion.format->has_tensor_scale() || has_prescale(conversion);
    const json sides{{"weights", side(form, by_tensor, false)},
                     {"input_activations", activations_of(layer, recipe)},
                     {"output_activations", nullptr}};
    auto group = std::ranges::find(groups, sides, &Group::sides);
    if (group == groups.end()) group = groups.insert(group, {sides, form.word, {}});
    group->layers.push_back(layer);
    one_word = one_word && form.word == groups.front().word;
  }
  json described = json::object();
  for (size_t i = 0; i < groups.size(); ++i) {
    json group = groups[i].sides;
    group["targets"] = json::array({"Linear"});
    if (groups.size() > 1) {
      group["targets"] = groups[i].layers;
      group["format"] = groups[i].word;
    }
    described["group_" + std::to_string(i)] = group;
  }
  config["quantization_config"] = {{"quant_method", quant_method},
                                   {"format", one_word ? groups.front().word : mixed_precision},
                                   {"quantization_status", "compressed"},
                                   {"ignore", ignored},
                                   {"kv_cache_scheme", nullptr},
                                   {"config_groups", described}};
}

}  // namespace mxref::compressed_tensors
