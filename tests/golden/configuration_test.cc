// config.json of a folder → what the decoder is, whatever the file says: honoured or refused, never
// a crash. (What each field means: model_config_test.cc.)

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "emu/files/safetensors.h"
#include "golden/checkpoint/checkpoint.h"
#include "golden/models/families.h"
#include "tests/deep_json.h"
#include "tests/golden/refusal.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

json llama() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 96},
          {"intermediate_size", 128},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"num_hidden_layers", 3},
          {"vocab_size", 320},
          {"max_position_embeddings", 256},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"rope_scaling", {{"rope_type", "linear"}, {"factor", 2}}},
          {"layer_types", {"full_attention", "full_attention", "full_attention"}},
          {"hidden_act", "silu"},
          {"tie_word_embeddings", true}};
}

struct DescribedFolder : TemporaryFolder {
  DescribedFolder() {
    SafetensorsWriter writer;
    const std::vector<float> w{1};
    writer.add("w", DType::F32, {1}, w);
    writer.write(path() / "model.safetensors");
  }
  // "" where the configuration is taken.
  std::string refusal_of(const std::string& config) const {
    write("config.json", config);
    return refusal([&] {
      const DecoderDescription d = describe(*open_checkpoint(path()));
      BOOST_TEST(layer_tensors(d, 0).size() >= 9u);
      for (const TensorShape& tensor : outer_tensors(d)) BOOST_TEST(tensor.elements() > 0);
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(configuration)

BOOST_AUTO_TEST_CASE(a_configuration_is_read_as_it_stands) {
  const DescribedFolder folder;
  folder.write("config.json", llama().dump());
  const DecoderDescription d = describe(*open_checkpoint(folder.path()));
  BOOST_TEST(d.layers == 3);
  BOOST_TEST(d.head_dim == 24);
  BOOST_TEST(d.rope.factor == 2);
  BOOST_TEST(d.tied);
}

BOOST_AUTO_TEST_CASE(every_field_with_every_kind_of_value_is_taken_or_refused_by_name) {
  const DescribedFolder folder;
  const json values[] = {nullptr,
                         true,
                         false,
                         -1,
                         0,
                         1,
                         1e300,
                         -0.5,
                         INT64_MAX,
                         UINT64_MAX,
                         "",
                         "x",
                         std::string(100000, 'x'),
                         json::array(),
                         json::array({1, "x"}),
                         json::object(),
                         {{"rope_type", "yarn"}},
                         {{"factor", json::array()}}};
  const json whole = llama();
  BOOST_TEST(folder.refusal_of(whole.dump()) == "");
  int refused = 0, all = 0;
  for (const auto& [field, kept] : whole.items())
    for (const json& value : values) {
      json edited = whole;
      edited[field] = value;
      const std::string message = folder.refusal_of(edited.dump());
      refused += message != "";
      ++all;
      if (message == "") continue;
      check_refusal(message, "config.json: field '");
      BOOST_TEST(message.size() < 1000u);
    }
  BOOST_TEST_MESSAGE(refused << " of " << all << " edited configurations refused");
  BOOST_TEST(refused > all / 2);
  for (const char* field : {"hidden_size", "rope_scaling", "unknown"})
    check_refusal(folder.refusal_of(deep_json(field)), "config.json: nests deeper");
}

BOOST_AUTO_TEST_CASE(random_damage_is_refused_or_taken) {
  const DescribedFolder folder;
  const std::string whole = llama().dump();
  constexpr unsigned seed = 1;
  std::mt19937_64 random(seed);
  const std::string alphabet = "{}[]\",:0123456789-.eE\\u\x00\xff tfn";
  int refused = 0;
  constexpr int rounds = 3000;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = whole;
    for (uint64_t changes = 1 + random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = alphabet[random() % alphabet.size()];
    refused += folder.refusal_of(bytes) != "";
  }
  BOOST_TEST_MESSAGE(refused << " of " << rounds << " damaged configurations refused, seed "
                             << seed);
  BOOST_TEST(refused > rounds / 2);
}

BOOST_AUTO_TEST_SUITE_END()
