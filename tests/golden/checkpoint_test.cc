// Real checkpoints: the small models of the shared data, and SmolLM2 as it is published.

#include "golden/checkpoint/checkpoint.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "emu/files/safetensors.h"
#include "golden/checkpoint/gguf.h"
#include "tests/shared_data.h"

using namespace mxref;
using nlohmann::json;

namespace {

using Shape = std::vector<int64_t>;
constexpr auto smollm2_file = "SmolLM2-135M-Instruct.Q4_1.gguf";

// What a decoder of the Llama kind has, by its own configuration.
std::map<std::string, Shape> expected_shapes(const json& config, bool qkv_bias, bool o_bias) {
  const int64_t D = config["hidden_size"], heads = config["num_attention_heads"];
  const int64_t head = config.value("head_dim", D / heads), V = config["vocab_size"];
  const int64_t kv = config["num_key_value_heads"].get<int64_t>() * head;
  const int64_t F = config["intermediate_size"];
  std::map<std::string, Shape> shapes{{"model.embed_tokens.weight", {V, D}},
                                      {"model.norm.weight", {D}}};
  if (!config["tie_word_embeddings"].get<bool>()) shapes["lm_head.weight"] = {V, D};
  for (int64_t i = 0; i < config["num_hidden_layers"].get<int64_t>(); ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    shapes[layer + "input_layernorm.weight"] = {D};
    shapes[layer + "post_attention_layernorm.weight"] = {D};
    const std::map<std::string, Shape> linear{{"self_attn.q_proj", {heads * head, D}},
                                              {"self_attn.k_proj", {kv, D}},
                                              {"self_attn.v_proj", {kv, D}},
                                              {"self_attn.o_proj", {D, heads * head}},
                                              {"mlp.gate_proj", {F, D}},
                                              {"mlp.up_proj", {F, D}},
                                              {"mlp.down_proj", {D, F}}};
    for (const auto& [name, shape] : linear) {
      shapes[layer + name + ".weight"] = shape;
      const bool o = name == "self_attn.o_proj";
      if (name.starts_with("self_attn") && (o ? o_bias : qkv_bias))
        shapes[layer + name + ".bias"] = {shape[0]};
    }
  }
  return shapes;
}

void check_shapes(const Checkpoint& checkpoint, const std::map<std::string, Shape>& expected) {
  for (const auto& [name, shape] : expected) {
    BOOST_REQUIRE_MESSAGE(checkpoint.has(name), name);
    BOOST_TEST(checkpoint.shape(name) == shape, name);
  }
}

float exact_binary16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double magnitude =
      exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
  return float(bits & 0x8000 ? -magnitude : magnitude);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoint)

BOOST_AUTO_TEST_CASE(every_small_model_has_the_tensors_of_its_configuration) {
  const struct {
    const char* name;
    bool qkv_bias, o_bias;
  } models[] = {{"llama3", false, false},
                {"llama_tied", false, false},
                {"qwen2", true, false},
                {"openpangu", true, true},
                {"qwen2_5_vl", true, false}};
  for (const auto& model : models) {
    const auto folder = shared_data(std::string("models/") + model.name);
    if (!folder) return;
    const auto checkpoint = open_checkpoint(*folder);
    const auto shapes = expected_shapes(checkpoint->config(), model.qkv_bias, model.o_bias);
    check_shapes(*checkpoint, shapes);
    for (const std::string& name : checkpoint->names()) {
      const bool beyond_the_decoder =
          name.ends_with("rotary_emb.inv_freq") || name.starts_with("visual.");
      BOOST_TEST((shapes.contains(name) || beyond_the_decoder), model.name << " " << name);
      const HostTensor tensor = checkpoint->tensor(name);
      int64_t elements = 1;
      for (int64_t extent : tensor.shape) elements *= extent;
      BOOST_TEST(elements == int64_t(tensor.values.size()), model.name << " " << name);
    }
  }
}

// Every value is counted once, in the type that the file holds it in.
static void check_storage(const Checkpoint& checkpoint, std::string_view most, double bits) {
  int64_t values = 0, expected = 0;
  for (const Storage& row : checkpoint.storage()) values += row.values;
  for (const std::string& name : checkpoint.names()) {
    int64_t elements = 1;
    for (int64_t extent : checkpoint.shape(name)) elements *= extent;
    expected += elements;
  }
  BOOST_TEST(values == expected);
  const Storage first = checkpoint.storage().front();
  BOOST_TEST(first.type == most);
  BOOST_TEST(8 * double(first.bytes) / double(first.values) == bits);
}

BOOST_AUTO_TEST_CASE(storage_is_told_as_the_file_holds_it) {
  if (const auto folder = shared_data("models/llama_tied"))
    check_storage(*open_checkpoint(*folder), "BF16", 16);
  if (const auto path = fetched_asset("smollm2", smollm2_file))
    check_storage(*open_checkpoint(*path), "Q4_1", 5);
}

// The embedding of a token is a row of the table: reference.safetensors has it from elsewhere.
BOOST_AUTO_TEST_CASE(embeddings_are_those_of_the_reference_in_every_stored_type) {
  for (const char* model : {"llama3", "llama_tied", "qwen2", "openpangu"}) {  // F32, BF16, F16
    const auto folder = shared_data(std::string("models/") + model);
    if (!folder) return;
    const auto reference = SafetensorsFile::open(*folder / "reference.safetensors");
    const auto table = open_checkpoint(*folder)->tensor("model.embed_tokens.weight");
    const TensorView& ids = reference.at("seq0.input_ids");
    const auto hidden = to_binary32(reference, reference.at("seq0.hidden.0"));
    const size_t D = size_t(table.shape[1]);
    size_t different = 0;
    for (size_t t = 0; t < size_t(ids.elements()); ++t) {
      int64_t id = 0;
      std::memcpy(&id, ids.bytes.data() + t * sizeof id, sizeof id);
      different +=
          std::memcmp(&hidden[t * D], &table.values[size_t(id) * D], D * sizeof(float)) != 0;
    }
    BOOST_TEST(different == 0u, model);
  }
}

BOOST_AUTO_TEST_CASE(configurations_are_handed_through_as_they_are) {
  const auto old_style = shared_data("models/llama3"), new_style = shared_data("models/llama_tied");
  if (!old_style || !new_style) return;
  const json old_config = open_checkpoint(*old_style)->config();
  BOOST_TEST(old_config["rope_scaling"]["rope_type"] == "llama3");
  BOOST_TEST(old_config["torch_dtype"] == "float32");
  const json new_config = open_checkpoint(*new_style)->config();
  BOOST_TEST(new_config["rope_parameters"]["rope_theta"] == 500000.0);
  BOOST_TEST(new_config["dtype"] == "bfloat16");
  BOOST_TEST(!new_config.contains("rope_theta"));
}

BOOST_AUTO_TEST_CASE(smollm2_is_told_in_the_words_of_hugging_face) {
  const auto path = fetched_asset("smollm2", smollm2_file);
  if (!path) return;
  const auto checkpoint = open_checkpoint(*path);
  const json& config = checkpoint->config();
  const json expected = {{"architectures", {"LlamaForCausalLM"}},
                         {"model_type", "llama"},
                         {"hidden_size", 576},
                         {"num_hidden_layers", 30},
                         {"num_attention_heads", 9},
                         {"num_key_value_heads", 3},
                         {"intermediate_size", 1536},
                         {"vocab_size", 49152},
                         {"rms_norm_eps", double(1e-5f)},
                         {"rope_theta", 100000.0},
                         {"tie_word_embeddings", true},
                         {"bos_token_id", 1},
                         {"eos_token_id", 2},
                         {"max_position_embeddings", 8192},
                         {"hidden_act", "silu"},
                         {"attention_bias", false},
                         {"mlp_bias", false}};
  BOOST_TEST(config == expected, config.dump());
  const auto shapes = expected_shapes(config, false, false);
  check_shapes(*checkpoint, shapes);
  BOOST_TEST(checkpoint->names().size() == shapes.size());
  if (const auto info = shared_data("models/smollm2/info.json"))
    BOOST_TEST(checkpoint->sha256() == json::parse(std::ifstream(*info))["gguf_sha256"]);
}

// Unpacks Q4_1 and Q8_0 once more, from the layouts, in binary64 rounded once; q and k by
// README's sentence: row (head, i, half) of the file is row (head, half, i) of Hugging Face.
BOOST_AUTO_TEST_CASE(smollm2_unpacks_to_the_values_of_its_blocks) {
  const auto path = fetched_asset("smollm2", smollm2_file);
  if (!path) return;
  const auto checkpoint = open_checkpoint(*path);
  const GgufFile file = GgufFile::open(*path);
  const struct {
    const char *gguf, *name;
    int64_t head;  // 0: rows as they are
  } tensors[] = {{"token_embd.weight", "model.embed_tokens.weight", 0},
                 {"blk.7.ffn_down.weight", "model.layers.7.mlp.down_proj.weight", 0},
                 {"blk.7.attn_v.weight", "model.layers.7.self_attn.v_proj.weight", 0},
                 {"blk.29.attn_q.weight", "model.layers.29.self_attn.q_proj.weight", 64},
                 {"blk.29.attn_k.weight", "model.layers.29.self_attn.k_proj.weight", 64}};
  for (const auto& t : tensors) {
    const GgufTensor& stored = *file.find(t.gguf);
    const bool q4_1 = stored.type->name == "Q4_1";
    BOOST_REQUIRE((q4_1 || stored.type->name == "Q8_0"));
    const HostTensor loaded = checkpoint->tensor(t.name);
    BOOST_REQUIRE(loaded.shape == stored.shape);
    const int64_t columns = stored.shape[1];
    const auto value = [&](int64_t row, int64_t column, bool with_minimum) {
      const size_t block = size_t(row * columns + column) / 32, i = size_t(column % 32);
      const auto* bytes =
          reinterpret_cast<const uint8_t*>(stored.bytes.data()) + block * (q4_1 ? 20 : 34);
      const double d = exact_binary16(uint16_t(bytes[0] | bytes[1] << 8));
      if (!q4_1) return float(d * int8_t(bytes[2 + i]));
      const double m = exact_binary16(uint16_t(bytes[2] | bytes[3] << 8));
      const int q = i < 16 ? bytes[4 + i] & 15 : bytes[4 + i - 16] >> 4;
      return float(d * q + (with_minimum ? m : 0));
    };
    const auto row_in_file = [&](int64_t row) {
      if (t.head == 0) return row;
      const int64_t head = row / t.head, half = row % t.head / (t.head / 2), i = row % (t.head / 2);
      return head * t.head + 2 * i + half;
    };
    size_t different = 0, without_permutation = 0, without_minimum = 0;
    for (int64_t row = 0; row < stored.shape[0]; ++row)
      for (int64_t column = 0; column < columns; ++column) {
        const auto got = std::bit_cast<uint32_t>(loaded.values[size_t(row * columns + column)]);
        const auto bits = [&](int64_t r, bool m) {
          return std::bit_cast<uint32_t>(value(r, column, m));
        };
        different += got != bits(row_in_file(row), true);
        without_permutation += got != bits(row, true);
        without_minimum += got != bits(row_in_file(row), false);
      }
    BOOST_TEST(different == 0u, t.name);
    BOOST_TEST((without_permutation > 0) == (t.head > 0), t.name);  // the control
    BOOST_TEST((without_minimum > 0) == q4_1, t.name);              // the control
  }
}

BOOST_AUTO_TEST_SUITE_END()
