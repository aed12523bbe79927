// What a configuration or a checkpoint may say: honoured, or refused by name.

#include <ATen/core/Tensor.h>

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::json;

namespace {

using Edit = std::function<void(EditedCheckpoint&)>;

// The message with which the edited model is refused; "" where it is taken.
std::string refusal(const std::filesystem::path& folder, const Edit& edit) {
  EditedCheckpoint checkpoint(folder);
  edit(checkpoint);
  try {
    load_model(checkpoint, fp32(), ref_alone());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

Edit set_field(const std::string& field, const json& value) {
  return [=](EditedCheckpoint& c) { c.fields[json::json_pointer("/" + field)] = value; };
}
Edit erase_field(const std::string& field) {
  return [=](EditedCheckpoint& c) { c.fields.erase(field); };
}

HostTensor zeros(std::vector<int64_t> shape) {
  int64_t n = 1;
  for (const int64_t extent : shape) n *= extent;
  return {std::move(shape), std::vector<float>(size_t(n))};
}

at::Tensor logits_of(const Checkpoint& checkpoint) {
  int64_t ids[] = {3, 1, 4, 1, 5, 9};
  return load_model(checkpoint, fp32(), ref_alone())
      ->forward(at::from_blob(ids, {1, 6}, at::kLong))
      .logits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_config)

BOOST_AUTO_TEST_CASE(what_is_not_computed_is_refused_by_name) {
  const auto data = shared_data("models");
  if (!data) return;
  const struct {
    const char* family;
    Edit edit;
    const char* part;
  } refused[] = {
      {"llama3", set_field("hidden_act", "gelu"), "'hidden_act': unknown value 'gelu'"},
      {"llama3", set_field("pretraining_tp", 2), "'pretraining_tp': only 1"},
      {"llama3", set_field("rope_scaling/rope_type", "yarn"), "'rope_scaling.rope_type'"},
      {"llama3", set_field("rope_scaling/factor", 0), "'rope_scaling.factor'"},
      {"llama3", set_field("rope_scaling/beta_fast", 32), "'rope_scaling.beta_fast'"},
      {"llama3", set_field("partial_rotary_factor", 0.5), "'partial_rotary_factor'"},
      {"llama3", set_field("rope_parameters", {{"rope_type", "default"}}), "'rope_parameters'"},
      {"llama3", set_field("sliding_window", 16), "'sliding_window'"},
      {"llama3", set_field("bias", true), "'bias'"},
      {"llama3", set_field("layer_types", {"full_attention", "sliding_attention"}),
       "'layer_types'"},
      {"llama3", set_field("layer_types", {"full_attention"}), "'layer_types'"},
      {"llama3", set_field("quantization_config", {{"quant_method", "fp8"}}),
       "'quantization_config'"},
      {"llama3", set_field("num_key_value_heads", 3), "'num_key_value_heads'"},
      {"llama3", set_field("head_dim", 31), "'head_dim'"},
      {"llama3", set_field("head_dim", 16), "expected (64, 96)"},
      {"llama3", set_field("hidden_size", "96"), "'hidden_size': expected an integer"},
      {"llama3", set_field("hidden_size", std::string(100000, '9')), "found \"999"},
      {"llama3", set_field("hidden_size", 96.5), "'hidden_size': expected an integer"},
      {"llama3", set_field("hidden_size", uint64_t(-1)), "'hidden_size': expected an integer"},
      {"llama3", set_field("num_hidden_layers", 1 << 24), "model.layers.3.input_layernorm.weight"},
      {"llama3", set_field("rms_norm_eps", -1e-5), "'rms_norm_eps'"},
      {"llama3", set_field("rms_norm_eps", 1e-40), "'rms_norm_eps': expected a number above zero"},
      {"llama3", set_field("rope_scaling/high_freq_factor", 1.0 + 1e-9),
       "'rope_scaling.high_freq_factor': not above 'low_freq_factor'"},
      {"llama3", set_field("rope_theta", 1e300), "'rope_theta': expected a number above zero"},
      {"llama3", set_field("tie_word_embeddings", "yes"), "'tie_word_embeddings'"},
      {"llama3", set_field("architectures", {"LlamaForCausalLm"}),
       "did you mean 'LlamaForCausalLM'"},
      {"llama3", set_field("model_type", "qwen2"), "'model_type'"},
      {"llama3", set_field("text_config", {{"hidden_size", 128}}), "'text_config.hidden_size'"},
      {"llama3", set_field("text_config", {{"tie_word_embeddings", true}}),
       "'text_config.tie_word_embeddings'"},
      {"llama3", set_field("mxref", {{"datapath", "fused"}}), "'mxref.datapath'"},
      {"llama3", erase_field("hidden_size"), "'hidden_size': missing"},
      {"llama3", erase_field("rms_norm_eps"), "'rms_norm_eps': missing"},
      {"openpangu", erase_field("rope_theta"), "'rope_theta': missing"},
      {"openpangu", set_field("sandwich_norm", true), "'sandwich_norm'"},
      {"qwen2", set_field("is_causal", false), "'is_causal'"},
      {"llama3", set_field("some_new_switch", false), "'some_new_switch'"},
      {"qwen2", set_field("use_sliding_window", true), "'use_sliding_window'"},
      {"qwen2", erase_field("num_key_value_heads"), "'num_key_value_heads': missing"},
      {"qwen2", set_field("attention_bias", true), "'attention_bias'"},
      {"qwen2", set_field("rope_scaling", {{"type", "mrope"}, {"mrope_section", {4, 6, 6}}}),
       "'rope_scaling.rope_type'"},
  };
  for (const auto& [family, edit, part] : refused) {
    const std::string message = refusal(*data / family, edit);
    BOOST_TEST((message.find(part) != message.npos), part << " not in: " << message);
    BOOST_TEST((message.find(family) != message.npos), "no file in: " << message);
    BOOST_TEST(message.size() < 1000u);
  }
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_taken) {
  const auto data = shared_data("models");
  if (!data) return;
  const Edit taken[] = {
      [](EditedCheckpoint&) {},
      set_field("use_cache", false),
      set_field("is_causal", true),
      set_field("use_mrope", false),
      set_field("some_new_object", nullptr),
      set_field("partial_rotary_factor", 1.0),
      set_field("layer_types", {"full_attention", "full_attention", "full_attention"}),
      set_field("hidden_act", "swish"),
      set_field("sliding_window", nullptr),
      erase_field("architectures"),
      erase_field("model_type"),
      erase_field("tie_word_embeddings"),
  };
  for (const Edit& edit : taken) BOOST_TEST(refusal(*data / "llama3", edit) == "");
}

BOOST_AUTO_TEST_CASE(the_same_said_in_other_words_gives_the_same_bits) {
  const auto data = shared_data("models");
  if (!data) return;
  const at::Tensor expected = logits_of(EditedCheckpoint(*data / "llama3"));

  EditedCheckpoint newer(*data / "llama3");
  newer.fields["rope_parameters"] = newer.fields["rope_scaling"];
  newer.fields["rope_parameters"]["rope_theta"] = newer.fields["rope_theta"];
  newer.fields.erase("rope_scaling");
  newer.fields.erase("rope_theta");
  BOOST_TEST(same_bits(logits_of(newer), expected));

  EditedCheckpoint nested(*data / "llama3");
  nested.fields = {{"architectures", nested.fields["architectures"]},
                   {"text_config", nested.fields}};
  BOOST_TEST(same_bits(logits_of(nested), expected));

  EditedCheckpoint pangu(*data / "openpangu");
  const at::Tensor stated = logits_of(pangu);
  BOOST_TEST(pangu.fields["bias"] == true);
  pangu.fields.erase("bias");  // true in the published class
  BOOST_TEST(same_bits(logits_of(pangu), stated));

  EditedCheckpoint theta(*data / "llama3");  // the control: another theta has other bits
  theta.fields["rope_theta"] = 10001.0;
  BOOST_TEST(!same_bits(logits_of(theta), expected));
}

BOOST_AUTO_TEST_CASE(biases_that_the_configuration_states_are_added) {
  const auto data = shared_data("models");
  if (!data) return;
  EditedCheckpoint checkpoint(*data / "llama3");
  const at::Tensor expected = logits_of(checkpoint);
  checkpoint.fields["attention_bias"] = true;
  checkpoint.fields["mlp_bias"] = true;
  for (const std::string& name : checkpoint.inner->names())
    if (name.ends_with("_proj.weight"))
      checkpoint.added[name.substr(0, name.size() - 6) + "bias"] =
          zeros({checkpoint.shape(name)[0]});
  BOOST_TEST(largest_difference(logits_of(checkpoint), expected) == 0.0f);
  for (const char* name :
       {"self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"}) {
    HostTensor& bias = checkpoint.added["model.layers.1." + std::string(name) + ".bias"];
    bias.values[1] = 0.5f;
    BOOST_TEST(largest_difference(logits_of(checkpoint), expected) > 1e-3f, name);
    bias.values[1] = 0;
  }
}

BOOST_AUTO_TEST_CASE(tensors_that_are_missing_of_another_shape_or_unused_are_refused_by_name) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto llama3 = *data / "llama3";
  const auto check = [](const std::string& message, const std::vector<std::string>& parts) {
    for (const std::string& part : parts)
      BOOST_TEST((message.find(part) != message.npos), part << " not in: " << message);
  };
  check(refusal(llama3, [](EditedCheckpoint& c) { c.left_out.insert("model.norm.weight"); }),
        {"llama3", "'model.norm.weight' is missing", "(96)"});
  check(refusal(llama3, [](EditedCheckpoint& c) { c.left_out.insert("lm_head.weight"); }),
        {"'lm_head.weight' is missing", "(320, 96)"});
  check(refusal(llama3, [](EditedCheckpoint& c) { c.added["model.norm.weight"] = zeros({95}); }),
        {"'model.norm.weight' has shape (95)", "expected (96)"});
  const std::string bias = "model.layers.0.self_attn.q_proj.bias";
  check(refusal(llama3, [&](EditedCheckpoint& c) { c.added[bias] = zeros({128}); }),
        {"'" + bias + "' is not used"});
  const std::string frequencies = "model.layers.0.self_attn.rotary_emb.inv_freq";
  BOOST_TEST(refusal(llama3, [&](EditedCheckpoint& c) { c.added[frequencies] = zeros({16}); }) ==
             "");
}

BOOST_AUTO_TEST_CASE(a_second_copy_of_a_tied_matrix_must_be_the_same) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto tied = *data / "llama_tied";
  const auto add_copy = [](EditedCheckpoint& c, float change) {
    HostTensor copy = c.tensor("model.embed_tokens.weight");
    copy.values[7] += change;
    c.added["lm_head.weight"] = copy;
  };
  BOOST_TEST(refusal(tied, [&](EditedCheckpoint& c) { add_copy(c, 0); }) == "");
  BOOST_TEST(refusal(tied, [&](EditedCheckpoint& c) { add_copy(c, 1); }) != "");
}

BOOST_AUTO_TEST_SUITE_END()
