#include "golden/models/families.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {

static const Family& family_of(ModelConfig& config) {
  const std::vector<std::string> architectures = config.texts("architectures");
  const std::string type = config.text("model_type", "");
  if (architectures.empty()) {
    std::vector<std::string_view> valid;
    for (const Family& family : families) {
      if (type == family.model_type) return family;
      valid.push_back(family.model_type);
    }
    config.fail("model_type", unknown_name("architecture", type, valid));
  }
  if (architectures.size() > 1) config.fail("architectures", "expected one");
  try {
    const Family& family = find_by_name(families, "architecture", architectures.front());
    if (!type.empty() && type != family.model_type)
      config.fail("model_type", shown(type) + " contradicts the architecture '" +
                                    std::string(family.name) + "' (expected '" +
                                    std::string(family.model_type) + "')");
    return family;
  } catch (const UsageError& error) {
    config.fail("architectures", error.what());
  }
}

DecoderDescription describe(const Checkpoint& checkpoint) {
  ModelConfig config(checkpoint);
  const DecoderDescription description = family_of(config).describe(config);
  config.refuse_the_rest();
  return description;
}

DecoderDescription describe_common(ModelConfig& config, std::optional<double> absent_theta,
                                   int64_t absent_window) {
  DecoderDescription d{};
  d.layers = config.integer("num_hidden_layers");
  d.width = config.integer("hidden_size");
  d.heads = config.integer("num_attention_heads");
  d.kv_heads = config.integer("num_key_value_heads", d.heads);
  d.intermediate = config.integer("intermediate_size");
  d.vocabulary = config.integer("vocab_size");
  d.window = config.integer("max_position_embeddings", absent_window);
  d.norm_eps = config.number("rms_norm_eps");
  d.rope = config.rope(absent_theta);
  d.tied = config.flag("tie_word_embeddings", false);

  if (d.heads % d.kv_heads != 0)
    config.fail("num_key_value_heads", "does not divide num_attention_heads");
  d.head_dim = config.integer("head_dim", 0);
  if (d.head_dim == 0) {
    if (d.width % d.heads != 0)
      config.fail("num_attention_heads", "does not divide hidden_size, and there is no head_dim");
    d.head_dim = d.width / d.heads;
  }
  if (d.head_dim % 2 != 0) config.fail("head_dim", "rotation takes an even head_dim");

  config.require_text("hidden_act", {"silu", "swish"});
  if (!config.flag("is_causal", true))
    config.fail("is_causal", "only attention to what came before is computed here");
  const std::vector<std::string> types = config.texts("layer_types");
  const bool all_full = std::all_of(
      types.begin(), types.end(), [](const std::string& type) { return type == "full_attention"; });
  if (!all_full) config.fail("layer_types", "only 'full_attention' is computed here");
  if (!types.empty() && int64_t(types.size()) != d.layers)
    config.fail("layer_types", "expected one for each of the num_hidden_layers");
  return d;
}

int64_t TensorShape::elements() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies());
}

std::vector<TensorShape> layer_tensors(const DecoderDescription& d, int64_t layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  std::vector<TensorShape> tensors{{prefix + "input_layernorm.weight", {d.width}},
                                   {prefix + "post_attention_layernorm.weight", {d.width}}};
  const auto linear = [&](const char* name, int64_t rows, int64_t cols, bool bias) {
    tensors.push_back({prefix + name + ".weight", {rows, cols}});
    if (bias) tensors.push_back({prefix + name + ".bias", {rows}});
  };
  const int64_t query_width = d.heads * d.head_dim, kv_width = d.kv_heads * d.head_dim;
  linear("self_attn.q_proj", query_width, d.width, d.qkv_bias);
  linear("self_attn.k_proj", kv_width, d.width, d.qkv_bias);
  linear("self_attn.v_proj", kv_width, d.width, d.qkv_bias);
  linear("self_attn.o_proj", d.width, query_width, d.o_bias);
  linear("mlp.gate_proj", d.intermediate, d.width, d.mlp_bias);
  linear("mlp.up_proj", d.intermediate, d.width, d.mlp_bias);
  linear("mlp.down_proj", d.width, d.intermediate, d.mlp_bias);
  return tensors;
}

std::vector<TensorShape> outer_tensors(const DecoderDescription& d) {
  std::vector<TensorShape> tensors{{"model.embed_tokens.weight", {d.vocabulary, d.width}},
                                   {"model.norm.weight", {d.width}}};
  if (!d.tied) tensors.push_back({"lm_head.weight", {d.vocabulary, d.width}});
  return tensors;
}

}  // namespace mxref
