#include "golden/checkpoint/quantization_config.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref::compressed_tensors {
namespace {

using nlohmann::json;

constexpr std::string_view pattern_prefix = "re:", linear_class = "Linear";

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw InputError(where + ": " + what);
}

const json& field(const json& object, const std::string& where, const char* name) {
  static const json null;
  if (!object.is_object()) refuse(where, "is no object");
  const auto found = object.find(name);
  return found != object.end() ? *found : null;
}

void require_off(const json& object, const std::string& where, const char* name) {
  const json& value = field(object, where, name);
  if (!value.is_null() && !(value.is_structured() && value.empty()) && value != false)
    refuse(where + "." + name, "is " + shown(value) + ", which is not supported");
}

std::string text_of(const json& object, const std::string& where, const char* name) {
  const json& value = field(object, where, name);
  if (!value.is_string()) refuse(where + "." + name, "is " + shown(value) + "; expected a string");
  return value;
}

std::vector<std::string> texts_of(const json& object, const std::string& where, const char* name) {
  const json& value = field(object, where, name);
  std::vector<std::string> texts;
  if (value.is_null()) return texts;
  if (!value.is_array()) refuse(where + "." + name, "is " + shown(value) + "; expected an array");
  for (const json& text : value) {
    if (!text.is_string())
      refuse(where + "." + name, "holds " + shown(text) + "; expected strings");
    texts.push_back(text);
  }
  return texts;
}

void refuse_unknown(const json& object, const std::string& where,
                    const std::vector<std::string_view>& known) {
  if (!object.is_object()) refuse(where, "is no object");
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(known, name) == known.end() && !value.is_null() &&
        !(value.is_structured() && value.empty()))
      refuse(where, unknown_name("field", name, known));
}

// One side of a group: numbers that share a scale in groups along a row.
struct Side {
  const Form* form;
  bool by_tensor;
};
Side read_side(const json& object, const std::string& where, bool is_weights) {
  refuse_unknown(object, where,
                 {"num_bits", "type", "symmetric", "strategy", "group_size", "dynamic", "actorder",
                  "block_structure", "scale_dtype", "zp_dtype", "observer", "observer_kwargs"});
  for (const char* name : {"actorder", "block_structure"}) {
    const json& value = field(object, where, name);
    const bool keeps_order = value == "weight" || value == "static";  // of columns in the file
    if (!keeps_order) require_off(object, where, name);
  }
  if (text_of(object, where, "type") != "float") refuse(where + ".type", "expected 'float'");
  if (const json& symmetric = field(object, where, "symmetric");
      !symmetric.is_null() && symmetric != true)
    refuse(where + ".symmetric", "is " + shown(symmetric) + "; expected true");
  const json &bits = field(object, where, "num_bits"), &size = field(object, where, "group_size"),
             &scale = field(object, where, "scale_dtype");
  const auto form = std::ranges::find_if(forms, [&](const Form& row) {
    return bits == row.num_bits && size == block_format(row.format).block &&
           (scale.is_null() || scale == row.scale_dtype);
  });
  if (form == forms.end())
    refuse(where, "has num_bits " + shown(bits) + ", group_size " + shown(size) +
                      " and scale_dtype " + shown(scale) +
                      "; expected 4 or 8 bits in groups of 32 (torch.uint8), or 4 in groups of 16");
  const json& strategy = field(object, where, "strategy");
  if (!strategy.is_null() && strategy != "group" && strategy != "tensor_group")
    refuse(where + ".strategy", "is " + shown(strategy) + "; expected 'group' or 'tensor_group'");
  if (const json& dynamic = field(object, where, "dynamic");
      is_weights && !dynamic.is_null() && dynamic != false)
    refuse(where + ".dynamic", "is " + shown(dynamic) + "; expected false");
  return {&*form, strategy == "tensor_group"};
}

// Whether a pattern, Python's, matches the beginning of a name.
bool matches_beginning(const std::string& pattern, const std::string& name,
                       const std::string& where) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr),
      pcre2_code_free);
  if (!code) refuse(where, "'" + shown_text(pattern) + "' is not a regular expression");
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(code.get(), nullptr), pcre2_match_data_free);
  constexpr uint32_t most_steps = 100000;
  const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
      pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(context.get(), most_steps);
  const int found = pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(name.data()), name.size(),
                                0, 0, match.get(), context.get());
  if (found < 0 && found != PCRE2_ERROR_NOMATCH)
    refuse(where,
           "'" + shown_text(pattern) + "' cannot be matched with '" + shown_text(name) + "'");
  return found >= 0;
}

// How closely a target names a layer: 0 not at all, then by class, pattern, name.
int closeness(const std::string& target, const std::string& module, const std::string& where) {
  if (target == module) return 3;
  if (target.starts_with(pattern_prefix))
    return matches_beginning(target.substr(pattern_prefix.size()), module, where) ? 2 : 0;
  return target == linear_class ? 1 : 0;
}

}  // namespace

QuantizationConfig::QuantizationConfig(const json& object, const std::string& where)
    : where_(where) {
  refuse_unknown(object, where,
                 {"quant_method", "format", "quantization_status", "ignore", "kv_cache_scheme",
                  "config_groups", "global_compression_ratio", "version", "sparsity_config",
                  "transform_config", "moe_sparsity_config"});
  for (const char* name :
       {"kv_cache_scheme", "sparsity_config", "transform_config", "moe_sparsity_config"})
    require_off(object, where, name);
  if (const std::string status = text_of(object, where, "quantization_status");
      status != "compressed")
    refuse(where + ".quantization_status", "is '" + status + "'; expected 'compressed'");
  const std::string format = text_of(object, where, "format");
  ignore_ = texts_of(object, where, "ignore");
  const json& groups = field(object, where, "config_groups");
  if (!groups.is_object() || groups.empty())
    refuse(where + ".config_groups", "is " + shown(groups) + "; expected an object of groups");
  for (const auto& [name, group] : groups.items()) {
    const std::string place = where + ".config_groups." + name;
    refuse_unknown(group, place,
                   {"targets", "weights", "input_activations", "output_activations", "format"});
    require_off(group, place, "output_activations");
    const Side weights = read_side(field(group, place, "weights"), place + ".weights", true);
    const json& own = field(group, place, "format");
    const std::string word = own.is_null() ? format : text_of(group, place, "format");
    if (word != weights.form->word)
      refuse(place, "has the format '" + word + "' and weights of '" +
                        std::string(weights.form->word) + "'; expected one of " + readable_forms());
    Scheme scheme{weights.form, weights.by_tensor, nullptr};
    if (const json& inputs = field(group, place, "input_activations"); !inputs.is_null())
      scheme.activations =
          &block_format(read_side(inputs, place + ".input_activations", false).form->format);
    groups_.push_back({texts_of(group, place, "targets"), scheme});
    if (groups_.back().targets.empty()) refuse(place + ".targets", "is empty");
  }
}

const Scheme* QuantizationConfig::scheme_of(const std::string& module) const {
  for (const std::string& target : ignore_)
    if (closeness(target, module, where_ + ".ignore") > 0) return nullptr;
  const Scheme* scheme = nullptr;
  int closest = 0;
  for (const Group& group : groups_)
    for (const std::string& target : group.targets)
      if (const int close = closeness(target, module, where_ + ".config_groups"); close > closest) {
        closest = close;
        scheme = &group.scheme;
      }
  return scheme;
}

bool is_linear(const std::string& tensor, const std::vector<int64_t>& shape) {
  return shape.size() == 2 && tensor.ends_with(weight_suffix) &&
         !tensor.ends_with("embed_tokens.weight");
}

}  // namespace mxref::compressed_tensors
