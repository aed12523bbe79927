// A language model in GGUF, told in the words of Hugging Face: configuration and tensor names.
// Whatever stands under the architecture's own keys and is not translated is refused by name: it
// may change what the model computes.

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "emu/e8m0.h"
#include "emu/error.h"
#include "emu/files/sha256.h"
#include "golden/checkpoint/containers.h"
#include "golden/checkpoint/gguf.h"

namespace mxref {
namespace {

using nlohmann::json;

struct Architecture {
  std::string_view name, model_type, model_class;
  bool pairwise_rotation;  // rows of q and k are stored (head, i, half), not (head, half, i)
};
constexpr std::array architectures{
    Architecture{"llama", "llama", "LlamaForCausalLM", true},
    Architecture{"qwen2", "qwen2", "Qwen2ForCausalLM", false},
};
static_assert(names_are_distinct(architectures));

struct FieldRow {
  std::string_view name;   // without the architecture's name in front
  std::string_view field;  // of config.json
  bool integer, required;
};
constexpr std::array fields{
    FieldRow{"block_count", "num_hidden_layers", true, true},
    FieldRow{"embedding_length", "hidden_size", true, true},
    FieldRow{"feed_forward_length", "intermediate_size", true, true},
    FieldRow{"attention.head_count", "num_attention_heads", true, true},
    FieldRow{"attention.head_count_kv", "num_key_value_heads", true, false},
    FieldRow{"attention.key_length", "head_dim", true, false},
    FieldRow{"attention.layer_norm_rms_epsilon", "rms_norm_eps", false, true},
    FieldRow{"context_length", "max_position_embeddings", true, false},
    FieldRow{"rope.freq_base", "rope_theta", false, false},
    FieldRow{"vocab_size", "vocab_size", true, false},
};
static_assert(names_are_distinct(fields));

// Looked at by name in translate_config().
constexpr std::array<std::string_view, 4> checked_fields{
    "attention.value_length", "rope.dimension_count", "rope.scaling.type", "rope.scaling.factor"};

// Options that change nothing at this value.
struct NeutralRow {
  std::string_view name;
  double value;
};
constexpr std::array neutral{NeutralRow{"expert_count", 0}, NeutralRow{"expert_used_count", 0},
                             NeutralRow{"attention.sliding_window", 0},
                             NeutralRow{"rope.scale_linear", 1}};
static_assert(names_are_distinct(neutral));

struct ModuleRow {
  std::string_view name, module;  // in GGUF, in Hugging Face
  bool rotated = false;
};
constexpr std::array outer_modules{
    ModuleRow{"token_embd", "model.embed_tokens"},
    ModuleRow{"output_norm", "model.norm"},
    ModuleRow{"output", "lm_head"},
};
constexpr std::array layer_modules{
    ModuleRow{"attn_norm", "input_layernorm"},
    ModuleRow{"attn_q", "self_attn.q_proj", true},
    ModuleRow{"attn_k", "self_attn.k_proj", true},
    ModuleRow{"attn_v", "self_attn.v_proj"},
    ModuleRow{"attn_output", "self_attn.o_proj"},
    ModuleRow{"ffn_norm", "post_attention_layernorm"},
    ModuleRow{"ffn_gate", "mlp.gate_proj"},
    ModuleRow{"ffn_up", "mlp.up_proj"},
    ModuleRow{"ffn_down", "mlp.down_proj"},
};
static_assert(names_are_distinct(outer_modules) && names_are_distinct(layer_modules));

template <typename Table>
auto find_row(const Table& table, std::string_view name) -> decltype(table.data()) {
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.name == name; });
  return row != table.end() ? &*row : nullptr;
}

std::string key_of(const Architecture& architecture, std::string_view name) {
  return std::string(architecture.name) + "." + std::string(name);
}

const Architecture& find_architecture(const GgufFile& file) {
  const auto name = file.need<std::string_view>("general.architecture");
  const auto type = file.get<std::string_view>("general.type");
  if (type && *type != "model")
    file.refuse("has general.type '" + std::string(*type) + "'; expected a whole model");
  if (file.get<uint64_t>("split.count").value_or(1) > 1)
    file.refuse("is one part of a split model (split.count); join the parts first");
  if (file.get<uint64_t>("general.quantization_version").value_or(2) != 2)
    file.refuse("has a general.quantization_version that is not 2");
  try {
    return find_by_name(architectures, "architecture", name);
  } catch (const UsageError& e) {
    file.refuse(e.what());
  }
}

void refuse_untranslated(const GgufFile& file, const Architecture& architecture) {
  const std::string prefix = key_of(architecture, "");
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with(prefix)) continue;
    const auto name = std::string_view(key).substr(prefix.size());
    if (find_row(fields, name) || std::ranges::count(checked_fields, name)) continue;
    const NeutralRow* row = find_row(neutral, name);
    if (!row || file.get<double>(key) != row->value)
      file.refuse("metadata '" + key + "' is not supported");
  }
}

// rope.scaling → rope_scaling.
void translate_rope_scaling(const GgufFile& file, const Architecture& architecture, json& config) {
  const std::string key = key_of(architecture, "rope.scaling.type");
  const auto factor = file.get<double>(key_of(architecture, "rope.scaling.factor"));
  const auto type = file.get<std::string_view>(key).value_or(factor ? "linear" : "none");
  if (type == "none") return;
  if (type != "linear")
    file.refuse("metadata '" + key + "' is '" + std::string(type) +
                "'; expected 'none' or 'linear'");
  if (!factor || !(*factor > 0))
    file.refuse("metadata '" + key_of(architecture, "rope.scaling.factor") +
                "' is missing or not above 0");
  config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", *factor}};
}

int64_t head_dim(const json& config) {
  return config.contains("head_dim")
             ? config["head_dim"].get<int64_t>()
             : config["hidden_size"].get<int64_t>() / config["num_attention_heads"].get<int64_t>();
}

void translate_tokens(const GgufFile& file, json& config) {
  const auto bos = file.get<uint64_t>("tokenizer.ggml.bos_token_id");
  const auto eos = file.get<uint64_t>("tokenizer.ggml.eos_token_id");
  const auto end_of_turn = file.get<uint64_t>("tokenizer.ggml.eot_token_id");
  if (bos) config["bos_token_id"] = *bos;
  if (eos) config["eos_token_id"] = *eos;
  if (end_of_turn && end_of_turn != eos)
    config["eos_token_id"] = eos ? json{*eos, *end_of_turn} : json(*end_of_turn);
}

json translate_config(const GgufFile& file, const Architecture& architecture) {
  refuse_untranslated(file, architecture);
  json config = {{"architectures", {architecture.model_class}},
                 {"model_type", architecture.model_type},
                 {"hidden_act", "silu"},
                 {"rope_theta", 10000.0},
                 {"tie_word_embeddings", !file.find("output.weight")}};
  for (const FieldRow& row : fields) {
    const std::string key = key_of(architecture, row.name);
    if (row.required && !file.metadata().contains(key))
      file.refuse("has no metadata '" + key + "'");
    if (row.integer) {
      const auto value = file.get<uint64_t>(key);
      if (value && (*value < 1 || *value > INT32_MAX))
        file.refuse("metadata '" + key + "' is " + std::to_string(*value) +
                    "; expected 1 to 2147483647");
      if (value) config[row.field] = *value;
    } else if (const auto value = file.get<double>(key)) {
      if (!(*value > 0) || *value > 1e300)
        file.refuse("metadata '" + key + "' is not a finite number above 0");
      config[row.field] = *value;
    }
  }
  if (!config.contains("num_key_value_heads"))
    config["num_key_value_heads"] = config["num_attention_heads"];
  if (!config.contains("head_dim") &&
      config["hidden_size"].get<int64_t>() % config["num_attention_heads"].get<int64_t>() != 0)
    file.refuse(
        "'embedding_length' is no multiple of 'attention.head_count', and there is no "
        "'attention.key_length'");
  for (const char* name : {"attention.value_length", "rope.dimension_count"}) {
    const auto value = file.get<uint64_t>(key_of(architecture, name));
    if (value && *value != uint64_t(head_dim(config)))
      file.refuse("metadata '" + key_of(architecture, name) + "' is " + std::to_string(*value) +
                  "; expected the length of a head, " + std::to_string(head_dim(config)));
  }
  if (config["num_hidden_layers"] > file.tensors().size())
    file.refuse("metadata '" + key_of(architecture, "block_count") + "' is " +
                config["num_hidden_layers"].dump() + "; the file has " +
                std::to_string(file.tensors().size()) + " tensors");
  const GgufTensor* embedding = file.find("token_embd.weight");
  if (!embedding) file.refuse("has no tensor 'token_embd.weight'");
  if (!config.contains("vocab_size")) config["vocab_size"] = embedding->shape.front();
  if (architecture.name == "llama") {
    config["attention_bias"] = file.find("blk.0.attn_q.bias") != nullptr;
    config["mlp_bias"] = file.find("blk.0.ffn_gate.bias") != nullptr;
  }
  translate_rope_scaling(file, architecture, config);
  translate_tokens(file, config);
  return config;
}

// A tensor's place in Hugging Face's words, and whether its rows belong to rotated heads.
struct TranslatedName {
  std::string name;
  bool rotated;
};

// "blk.3.attn_q.weight" → "model.layers.3.self_attn.q_proj.weight"; nullopt where no row says it.
std::optional<TranslatedName> translate_name(std::string_view name, int64_t layers) {
  const size_t dot = name.rfind('.');
  if (dot == name.npos) return std::nullopt;
  const std::string_view parameter = name.substr(dot);
  if (parameter != ".weight" && parameter != ".bias") return std::nullopt;
  std::string_view module = name.substr(0, dot);
  std::string prefix;
  const ModuleRow* row = nullptr;
  if (module.starts_with("blk.")) {
    module.remove_prefix(4);
    int64_t layer = -1;
    const auto [end, error] = std::from_chars(module.data(), module.data() + module.size(), layer);
    const size_t digits = size_t(end - module.data());
    if (error != std::errc() || layer < 0 || layer >= layers ||
        std::to_string(layer) != module.substr(0, digits) || module.substr(digits, 1) != ".")
      return std::nullopt;
    row = find_row(layer_modules, module.substr(digits + 1));
    prefix = "model.layers." + std::to_string(layer) + ".";
  } else {
    row = find_row(outer_modules, module);
  }
  if (!row) return std::nullopt;
  return TranslatedName{prefix + std::string(row->module) + std::string(parameter), row->rotated};
}

struct GgufPlace {
  const GgufTensor* tensor;
  bool pairwise;  // rows are stored (head, i, half)
  const std::vector<int64_t>& shape() const { return tensor->shape; }
  std::string_view type() const { return tensor->type->name; }
  int64_t bytes() const { return int64_t(tensor->bytes.size()); }
};

constexpr std::string_view mxfp4_type = "MXFP4";

// Blocks of 32 codes: a scale, then 16 bytes with elements i and i + 16 in their low and high
// nibbles.
MxTensor unpack_mxfp4(const GgufTensor& tensor) {
  const BlockFormat& format = block_format("mxfp4");
  MxTensor q{{.format = &format}, tensor.shape, {}, {}};
  const size_t block = size_t(format.block), half = block / 2;
  for (size_t at = 0; at < tensor.bytes.size(); at += 1 + half) {
    q.scales.push_back(uint8_t(tensor.bytes[at]));
    const auto pairs = tensor.bytes.subspan(at + 1, half);
    for (const std::byte pair : pairs) q.codes.push_back(uint8_t(pair) & 15);
    for (const std::byte pair : pairs) q.codes.push_back(uint8_t(pair) >> 4);
  }
  return q;
}

class GgufCheckpoint : public PlacedCheckpoint<GgufPlace> {
 public:
  explicit GgufCheckpoint(const std::filesystem::path& path) : file_(GgufFile::open(path)) {
    const Architecture& architecture = find_architecture(file_);
    config_ = translate_config(file_, architecture);
    const auto layers = config_["num_hidden_layers"].get<int64_t>();
    const int64_t head = head_dim(config_);
    for (const GgufTensor& tensor : file_.tensors()) {
      const std::string what = "tensor '" + tensor.name + "' ";
      const auto place = translate_name(tensor.name, layers);
      if (!place)
        file_.refuse(what + "has no place in a " + std::string(architecture.model_class) + " of " +
                     std::to_string(layers) + " layers");
      if (!tensor.type->unpack)
        file_.refuse(what + "is " + std::string(tensor.type->name) + "; expected one of " +
                     readable_gguf_types());
      const bool pairwise = place->rotated && architecture.pairwise_rotation;
      if (pairwise && (head % 2 != 0 || tensor.shape.front() % head != 0))
        file_.refuse(what + "has " + std::to_string(tensor.shape.front()) +
                     " rows; expected a multiple of the even length of a head, not " +
                     std::to_string(head));
      places_[place->name] = {&tensor, pairwise};
    }
  }

  const json& config() const override { return config_; }
  HostTensor tensor(const std::string& name) const override {
    const auto [stored, pairwise] = at(name);
    const auto blocks = stored->bytes.size() / size_t(stored->type->block_bytes);
    HostTensor result{stored->shape,
                      std::vector<float>(blocks * size_t(stored->type->block_elements))};
    stored->type->unpack(stored->bytes, result.values);
    refuse_non_finite(path(), stored->name, result.values);
    if (pairwise) result.values = halves_apart(result.values, stored->shape.front());
    return result;
  }
  std::optional<MxTensor> quantized(const std::string& name) const override {
    const auto [stored, pairwise] = at(name);
    if (stored->type->name != mxfp4_type) return std::nullopt;
    MxTensor q = unpack_mxfp4(*stored);
    const auto nan = std::ranges::find(q.scales, e8m0::nan);
    if (nan != q.scales.end())
      file_.refuse("tensor '" + stored->name + "' holds a NaN as the scale of block " +
                   std::to_string(nan - q.scales.begin()) + "; expected finite weights");
    if (pairwise) {
      q.codes = halves_apart(q.codes, stored->shape.front());
      q.scales = halves_apart(q.scales, stored->shape.front());
    }
    return q;
  }
  std::filesystem::path path() const override { return file_.path(); }
  std::string sha256() const override { return sha256_of_file(file_.path()); }

 private:
  // Rows (head, i, half) → (head, half, i), i < head_dim / 2. A bias has one element a row.
  template <typename T>
  std::vector<T> halves_apart(const std::vector<T>& stored, int64_t rows) const {
    const int64_t head = head_dim(config_), row_elements = int64_t(stored.size()) / rows;
    std::vector<T> values(stored.size());
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t within = row % head, half = within / (head / 2), i = within % (head / 2);
      const int64_t from = row - within + 2 * i + half;
      std::copy_n(stored.begin() + from * row_elements, row_elements,
                  values.begin() + row * row_elements);
    }
    return values;
  }

  GgufFile file_;
  json config_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_gguf(const std::filesystem::path& file) {
  return std::make_unique<GgufCheckpoint>(file);
}

}  // namespace mxref
