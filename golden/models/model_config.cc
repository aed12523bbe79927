#include "golden/models/model_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

using nlohmann::json;

constexpr auto own_field = "mxref";
constexpr int64_t largest_integer = int64_t(1) << 24;

// Fields that change no logit: names, types of storage, training, generation.
constexpr std::string_view harmless[] = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attn_implementation",
    "auto_map",
    "bos_token_id",
    "do_sample",
    "dtype",
    "embd_pdrop",
    "eos_token_id",
    "hidden_dropout",
    "id2label",
    "initializer_range",
    "is_llama_config",
    "label2id",
    "max_length",
    "max_new_tokens",
    "max_window_layers",
    "model_type",
    "name_or_path",
    "pad_token_id",
    "repetition_penalty",
    "resid_pdrop",
    "return_dict",
    "sep_token_id",
    "temperature",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
};

// Switches that change nothing while they are false. Of another one false may be what matters
// ("is_causal").
constexpr std::string_view off_at_false[] = {
    "add_cross_attention",
    "attention_bias",
    "bias",
    "is_decoder",
    "is_encoder_decoder",
    "mlp_bias",
    "mrope_interleaved",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "qkv_bias",
    "quantization_config",
    "remove_invalid_values",
    "return_dict_in_generate",
    "rope_interleaved",
    "sandwich_norm",
    "sliding_window",
    "tie_encoder_decoder",
    "torchscript",
    "use_bfloat16",
    "use_mrope",
    "use_qk_norm",
    "use_sliding_window",
};

template <size_t N>
bool is_one_of(const std::string& field, const std::string_view (&fields)[N]) {
  return std::find(std::begin(fields), std::end(fields), field) != std::end(fields);
}

bool is_harmless(const std::string& field) { return is_one_of(field, harmless); }

// Whether a field that nobody read switches nothing on.
bool is_off(const std::string& field, const json& value) {
  return value.is_null() || (value == false && is_one_of(field, off_at_false));
}

}  // namespace

ModelConfig::ModelConfig(std::string file, std::string prefix, json fields)
    : file_(std::move(file)), prefix_(std::move(prefix)), fields_(std::move(fields)) {}

ModelConfig::ModelConfig(const Checkpoint& checkpoint) : fields_(checkpoint.config()) {
  const std::filesystem::path path = checkpoint.path();
  file_ = (std::filesystem::is_directory(path) ? path / "config.json" : path).string();
  if (!fields_.is_object()) throw InputError(file_ + ": not a JSON object");
  const json* nested = find("text_config");
  if (!nested) return;
  if (!nested->is_object()) fail("text_config", "expected an object");
  const json inner = *nested;
  for (const auto& [field, value] : inner.items()) {
    if (is_harmless(field)) continue;
    if (fields_.contains(field) && !fields_[field].is_null() && fields_[field] != value)
      fail("text_config." + field,
           shown(value) + " contradicts " + shown(fields_[field]) + " outside text_config");
    fields_[field] = value;
  }
}

void ModelConfig::fail(const std::string& field, const std::string& reason) const {
  throw InputError(file_ + ": field '" + prefix_ + field + "': " + reason);
}

const json* ModelConfig::find(const std::string& field) {
  read_.insert(field);
  const auto value = fields_.find(field);
  return value == fields_.end() || value->is_null() ? nullptr : &*value;
}

const json& ModelConfig::need(const std::string& field) {
  const json* value = find(field);
  if (!value) fail(field, "missing");
  return *value;
}

int64_t ModelConfig::integer(const std::string& field) {
  const json& value = need(field);
  // An unsigned number above 2^63 would turn negative in int64_t.
  if (!value.is_number_integer() || value < 1 || value > largest_integer)
    fail(field, "expected an integer from 1 to " + std::to_string(largest_integer) + ", found " +
                    shown(value));
  return value;
}
int64_t ModelConfig::integer(const std::string& field, int64_t absent) {
  return find(field) ? integer(field) : absent;
}

double ModelConfig::number(const std::string& field) {
  const json& value = need(field);
  // The rest of a model computes with it in binary32.
  if (!value.is_number() || value <= 0 || !std::isnormal(float(value.get<double>())))
    fail(field,
         "expected a number above zero that is a normal number of binary32, found " + shown(value));
  return value;
}
double ModelConfig::number(const std::string& field, double absent) {
  return find(field) ? number(field) : absent;
}

bool ModelConfig::flag(const std::string& field, bool absent) {
  const json* value = find(field);
  if (!value) return absent;
  if (!value->is_boolean()) fail(field, "expected true or false, found " + shown(*value));
  return *value;
}

std::string ModelConfig::text(const std::string& field, const std::string& absent) {
  const json* value = find(field);
  if (!value) return absent;
  if (!value->is_string()) fail(field, "expected a string, found " + shown(*value));
  return *value;
}

std::vector<std::string> ModelConfig::texts(const std::string& field) {
  const json* value = find(field);
  if (!value) return {};
  const bool good = value->is_array() && std::all_of(value->begin(), value->end(),
                                                     [](const json& v) { return v.is_string(); });
  if (!good) fail(field, "expected an array of strings, found " + shown(*value));
  return *value;
}

void ModelConfig::require_text(const std::string& field, const std::vector<std::string>& computed) {
  const std::string value = text(field, computed.front());
  if (std::find(computed.begin(), computed.end(), value) == computed.end())
    fail(field, unknown_name("value", value, {computed.begin(), computed.end()}));
}

void ModelConfig::require_number(const std::string& field, double computed) {
  if (number(field, computed) != computed)
    fail(field, "only " + shown(computed) + " is computed here, found " + shown(fields_[field]));
}

Rope ModelConfig::rope(std::optional<double> absent_theta) {
  Rope rope;
  const json* old_words = find("rope_scaling");
  const json* new_words = find("rope_parameters");
  if (old_words && new_words && *old_words != *new_words)
    fail("rope_parameters", "contradicts the field 'rope_scaling'");
  require_number("partial_rotary_factor", 1);
  const json* object = new_words ? new_words : old_words;
  const bool theta_is_inside = object && object->is_object() && object->contains("rope_theta");
  rope.theta = absent_theta && !theta_is_inside ? number("rope_theta", *absent_theta)
               : theta_is_inside                ? number("rope_theta", rope.theta)
                                                : number("rope_theta");
  if (!object) return rope;

  const std::string name = new_words ? "rope_parameters" : "rope_scaling";
  if (!object->is_object()) fail(name, "expected an object");
  ModelConfig nested(file_, prefix_ + name + ".", *object);
  const double theta = nested.number("rope_theta", rope.theta);
  if (find("rope_theta") && theta != rope.theta)
    nested.fail("rope_theta", "contradicts the field 'rope_theta' outside");
  rope.theta = theta;
  nested.require_number("partial_rotary_factor", 1);
  const std::string type = nested.text("rope_type", nested.text("type", "default"));
  if (nested.text("type", type) != type) nested.fail("type", "contradicts 'rope_type'");
  if (type == "linear") {
    rope.scaling = Rope::Scaling::linear;
    rope.factor = nested.number("factor");
  } else if (type == "llama3") {
    rope.scaling = Rope::Scaling::llama3;
    rope.factor = nested.number("factor");
    rope.low_freq_factor = nested.number("low_freq_factor");
    rope.high_freq_factor = nested.number("high_freq_factor");
    rope.original_max_position = double(nested.integer("original_max_position_embeddings"));
    if (float(rope.high_freq_factor) <= float(rope.low_freq_factor))
      nested.fail("high_freq_factor", "not above 'low_freq_factor' in binary32");
  } else if (type != "default") {
    nested.fail("rope_type", unknown_name("value", type, {"default", "linear", "llama3"}));
  }
  nested.refuse_the_rest();
  return rope;
}

// What a quantized model says of itself (golden/checkpoint/checkpoint.h).
void ModelConfig::check_own(const json& value) const {
  static const std::vector<std::string_view> known{"recipe", "transforms", "method"};
  if (!value.is_object()) fail(own_field, "expected an object");
  for (const auto& [field, inner] : value.items())
    if (std::ranges::find(known, field) == known.end())
      fail(own_field + ("." + field), unknown_name("field", field, known));
}

void ModelConfig::refuse_the_rest() const {
  for (const auto& [field, value] : fields_.items())
    if (field == own_field)
      check_own(value);
    else if (!read_.contains(field) && !is_harmless(field) && !is_off(field, value))
      fail(field, "not known for this architecture, and it may change what the model computes (" +
                      shown(value) + ")");
}

}  // namespace mxref
