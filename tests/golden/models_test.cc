// The text families in binary32 against what transformers computed.

#include <ATen/ops/cat.h>

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "emu/threads.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;

namespace {

// The largest error of correct binary32 is 1.8e-5 (README of the data), of the mildest wrong option
// 0.002.
constexpr float tolerance = 1e-4f;

constexpr const char* sequences[] = {"seq0", "seq1", "seq2", "batch"};

std::string at_sequence(const char* family, const std::string& sequence) {
  return std::string(family) + " " + sequence;
}

// The largest error of a logit on seq2.
float logit_error(const Checkpoint& checkpoint, const SafetensorsFile& reference) {
  const auto model = load_model(checkpoint, fp32(), ref_alone());
  return largest_difference(model->forward(view_of(reference, "seq2.input_ids")).logits,
                            view_of(reference, "seq2.logits"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(models)

BOOST_AUTO_TEST_CASE(logits_and_hidden_states_agree_with_transformers) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto model = load_model(*open_checkpoint(*data / family), fp32(), ref_alone());
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    for (const std::string sequence : sequences) {
      const auto output = model->forward(view_of(reference, sequence + ".input_ids"), true);
      BOOST_TEST(
          largest_difference(output.logits, view_of(reference, sequence + ".logits")) <= tolerance,
          at_sequence(family, sequence));
      BOOST_TEST(int64_t(output.hidden.size()) == model->layers() + 1);
      for (size_t i = 0; i < output.hidden.size(); ++i)
        BOOST_TEST(largest_difference(
                       output.hidden[i],
                       view_of(reference, sequence + ".hidden." + std::to_string(i))) <= tolerance,
                   at_sequence(family, sequence) + " hidden " + std::to_string(i));
    }
  }
}

BOOST_AUTO_TEST_CASE(greedy_text_agrees_with_transformers) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto model = load_model(*open_checkpoint(*data / family), fp32(), ref_alone());
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    const auto tokens = generate_greedy(*model, ids_of(reference, "generate.prompt"), 16);
    BOOST_TEST(tokens == ids_of(reference, "generate.tokens"), boost::test_tools::per_element());
  }
}

// Each brings a protobuf of its own.
BOOST_AUTO_TEST_CASE(sentencepiece_lives_beside_torch) {
  const auto file = shared_data("tokenizers/ggml-vocab-llama-spm.gguf");
  const auto data = shared_data("models");
  if (!file || !data) return;
  const auto tokenizer = open_tokenizer(*file);
  const std::vector<int64_t> ids{1, 15043, 3186};
  BOOST_TEST(tokenizer->encode("Hello world") == ids, boost::test_tools::per_element());
  const auto model = load_model(*open_checkpoint(*data / "llama3"), fp32(), ref_alone());
  BOOST_TEST(generate_greedy(*model, {1, 2, 3}, 4).size() == 4u);
  BOOST_TEST(tokenizer->decode(ids) == "<s>Hello world");
}

BOOST_AUTO_TEST_CASE(token_by_token_with_a_cache_agrees_with_one_pass) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto model = load_model(*open_checkpoint(*data / family), fp32(), ref_alone());
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    const at::Tensor ids = view_of(reference, "batch.input_ids");  // (B,T)
    KvCache cache;
    std::vector<at::Tensor> logits;
    for (int64_t t = 0; t < ids.size(1); ++t) {
      BOOST_TEST(cache.length() == t);
      logits.push_back(model->forward(ids.narrow(1, t, 1), false, &cache).logits);
    }
    BOOST_TEST(
        largest_difference(at::cat(logits, 1), view_of(reference, "batch.logits")) <= tolerance,
        family);
  }
}

BOOST_AUTO_TEST_CASE(logits_from_a_position_on_are_the_last_of_all) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto model = load_model(*open_checkpoint(*data / "llama_tied"), fp32(), ref_alone());
  const auto reference = SafetensorsFile::open(*data / "llama_tied" / "reference.safetensors");
  const at::Tensor ids = view_of(reference, "batch.input_ids"), all = model->forward(ids).logits;
  for (const int64_t first : {int64_t(0), int64_t(3), ids.size(1) - 1}) {
    const auto asked = model->forward(ids, true, nullptr, first);
    BOOST_REQUIRE(asked.logits.size(1) == ids.size(1) - first);
    BOOST_TEST(largest_difference(asked.logits, all.narrow(1, first, ids.size(1) - first)) <=
               tolerance);
    BOOST_TEST(asked.hidden.back().size(1) == ids.size(1));  // hidden states are whole
  }
}

BOOST_AUTO_TEST_CASE(a_sequence_of_a_batch_has_the_bits_it_has_alone) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto model = load_model(*open_checkpoint(*data / "qwen2"), fp32(), ref_alone());
  const auto reference = SafetensorsFile::open(*data / "qwen2" / "reference.safetensors");
  const at::Tensor ids = view_of(reference, "batch.input_ids");
  const at::Tensor together = model->forward(ids).logits;
  for (int64_t b = 0; b < ids.size(0); ++b)
    BOOST_TEST(same_bits(together.narrow(0, b, 1), model->forward(ids.narrow(0, b, 1)).logits));
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_number_of_threads) {
  const auto data = shared_data("models");
  if (!data) return;
  const int before = threads();
  for (const char* family : text_families) {
    const auto model = load_model(*open_checkpoint(*data / family), fp32(), ref_alone());
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    // Long enough for several parts of every operation.
    const at::Tensor ids =
        at::cat({view_of(reference, "batch.input_ids").flatten().repeat({16})}).narrow(0, 0, 280);
    set_threads(1);
    const auto one = model->forward(ids.unsqueeze(0), true);
    for (const int count : {2, 3, 7}) {
      set_threads(count);
      const auto several = model->forward(ids.unsqueeze(0), true);
      BOOST_TEST(same_bits(one.logits, several.logits), family);
      for (size_t i = 0; i < one.hidden.size(); ++i)
        BOOST_TEST(same_bits(one.hidden[i], several.hidden[i]), family);
    }
  }
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(the_observer_sees_what_goes_into_each_module_and_what_comes_out) {
  const auto data = shared_data("models");
  if (!data) return;
  int64_t numbers[] = {1, 2, 3, 4, 5, 6};
  const at::Tensor ids = at::from_blob(numbers, {1, 6}, at::kLong);
  for (const char* recipe : {"fp32", "w4a4"}) {
    const auto model = load_model(*open_checkpoint(*data / "llama3"),
                                  parse_recipe(recipe, {"implementation=ref"}), ref_alone());
    std::map<std::string, at::Tensor> seen;
    model->observe([&](const std::string& module, std::string_view role, const at::Tensor& values) {
      const std::string name = module + " " + std::string(role);
      BOOST_TEST(seen.emplace(name, values.clone()).second, name << " came twice");
    });
    const auto output = model->forward(ids, true);
    const auto are_equal = [&](const std::string& x, const std::string& y) {
      BOOST_TEST(same_bits(seen.at(x), seen.at(y)), x << ", " << y);
    };
    // embed_tokens has no input, norm and lm_head have one; of a layer eleven modules have one,
    // three have two, attention has three.
    BOOST_TEST(seen.size() == 1u + 2 * 2 + 3 * (11 * 2 + 3 * 3 + 4));
    for (int layer = 0; layer < 3; ++layer) {
      const std::string at = "model.layers." + std::to_string(layer) + ".";
      const at::Tensor before = output.hidden[size_t(layer)][0];
      const at::Tensor after = output.hidden[size_t(layer) + 1][0];
      BOOST_TEST(same_bits(seen.at(at + "input_layernorm input"), before));
      BOOST_TEST(same_bits(seen.at(at + "self_attn.residual input.0"), before));
      BOOST_TEST(same_bits(seen.at(at + "mlp.residual output"), after));
      for (const char* linear : {"q", "k", "v"})
        are_equal(at + "self_attn." + linear + "_proj input", at + "input_layernorm output");
      are_equal(at + "self_attn.rotary.q input", at + "self_attn.q_proj output");
      are_equal(at + "self_attn.rotary.k input", at + "self_attn.k_proj output");
      are_equal(at + "self_attn.attention input.0", at + "self_attn.rotary.q output");
      are_equal(at + "self_attn.attention input.1", at + "self_attn.rotary.k output");
      are_equal(at + "self_attn.attention input.2", at + "self_attn.v_proj output");
      are_equal(at + "self_attn.o_proj input", at + "self_attn.attention output");
      are_equal(at + "self_attn.residual input.1", at + "self_attn.o_proj output");
      are_equal(at + "post_attention_layernorm input", at + "self_attn.residual output");
      are_equal(at + "mlp.act_fn input.0", at + "mlp.gate_proj output");
      are_equal(at + "mlp.act_fn input.1", at + "mlp.up_proj output");
      are_equal(at + "mlp.down_proj input", at + "mlp.act_fn output");
      are_equal(at + "mlp.residual input.0", at + "self_attn.residual output");
      are_equal(at + "mlp.residual input.1", at + "mlp.down_proj output");
    }
    are_equal("lm_head input", "model.norm output");
    BOOST_TEST(same_bits(seen.at("lm_head output"), output.logits[0]));
    // The control: a module changes what passes through it.
    BOOST_TEST(!same_bits(seen.at("model.layers.0.self_attn.rotary.q input"),
                          seen.at("model.layers.0.self_attn.rotary.q output")));
    seen.clear();
    model->observe({});
    BOOST_TEST(same_bits(model->forward(ids).logits, output.logits));
    BOOST_TEST(seen.empty());
  }
}

// Controls of the tolerance: a wrong option shows.
BOOST_AUTO_TEST_CASE(a_wrong_option_is_outside_the_tolerance) {
  const auto data = shared_data("models");
  if (!data) return;
  const struct {
    const char* family;
    const char* what;
    void (*edit)(EditedCheckpoint&);
  } wrongs[] = {
      {"llama3", "no rope scaling", [](EditedCheckpoint& c) { c.fields.erase("rope_scaling"); }},
      {"llama3", "linear scaling",
       [](EditedCheckpoint& c) {
         c.fields["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 8.0}};
       }},
      {"llama3", "another eps", [](EditedCheckpoint& c) { c.fields["rms_norm_eps"] = 1e-6; }},
      {"llama_tied", "another theta",
       [](EditedCheckpoint& c) { c.fields["rope_parameters"]["rope_theta"] = 10000.0; }},
      {"openpangu", "no bias",
       [](EditedCheckpoint& c) {
         c.fields["bias"] = false;
         for (const std::string& name : c.inner->names())
           if (name.ends_with(".bias")) c.left_out.insert(name);
       }},
      {"openpangu", "no bias on o_proj",
       [](EditedCheckpoint& c) {
         c.fields["bias"] = false;
         c.fields["qkv_bias"] = true;
         for (const std::string& name : c.inner->names())
           if (name.ends_with("o_proj.bias")) c.left_out.insert(name);
       }},
  };
  for (const auto& wrong : wrongs) {
    const auto reference = SafetensorsFile::open(*data / wrong.family / "reference.safetensors");
    EditedCheckpoint checkpoint(*data / wrong.family);
    BOOST_TEST(logit_error(checkpoint, reference) <= tolerance);
    wrong.edit(checkpoint);
    BOOST_TEST(logit_error(checkpoint, reference) > 5 * tolerance,
               std::string(wrong.family) + ": " + wrong.what);
  }
}

BOOST_AUTO_TEST_CASE(tokens_outside_the_vocabulary_are_refused) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto model = load_model(*open_checkpoint(*data / "llama3"), fp32(), ref_alone());
  for (const int64_t id : {int64_t(-1), model->vocabulary(), int64_t(1) << 40}) {
    int64_t ids[] = {1, id};
    BOOST_CHECK_THROW(model->forward(at::from_blob(ids, {1, 2}, at::kLong)), InputError);
  }
  int64_t last[] = {model->vocabulary() - 1};
  BOOST_CHECK_NO_THROW(model->forward(at::from_blob(last, {1, 1}, at::kLong)));
}

BOOST_AUTO_TEST_SUITE_END()
