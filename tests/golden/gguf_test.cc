// GGUF files made by hand: what is right is read as it was meant, what is wrong is refused by name.

#include "golden/checkpoint/gguf.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "golden/checkpoint/checkpoint.h"
#include "golden/tokenizer/tokenizer.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/refusal.h"
#include "tests/temporary_folder.h"

using namespace mxref;

namespace {

constexpr uint32_t f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q8_1 = 9, q8_0 = 8;

std::string random_blocks(std::mt19937_64& random, uint32_t type, uint64_t elements) {
  std::string bytes;
  const auto half = [&] { return raw(uint16_t(0x2000 | (random() & 0x9FFF))); };  // finite
  const auto noise = [&](size_t n) {
    while (n-- > 0) bytes += char(random());
  };
  for (uint64_t i = 0; i < elements / 32; ++i) {
    if (type == f32)
      for (int j = 0; j < 32; ++j) bytes += raw(float(int(random() % 2001) - 1000) / 64);
    if (type == f16)
      for (int j = 0; j < 32; ++j) bytes += half();
    if (type == q4_0) bytes += half(), noise(16);
    if (type == q4_1) bytes += half(), bytes += half(), noise(16);
    if (type == q8_0) bytes += half(), noise(32);
  }
  return bytes;
}

// A llama of one layer and two heads of 16, with a tokenizer of four tokens.
GgufBuilder small_llama() {
  GgufBuilder b;
  b.set("general.architecture", "llama");
  b.set("llama.block_count", 1u);
  b.set("llama.embedding_length", 32u);
  b.set("llama.feed_forward_length", 64u);
  b.set("llama.attention.head_count", 2u);
  b.set("llama.attention.head_count_kv", 1u);
  b.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  b.set("llama.rope.dimension_count", 16u);
  b.set("tokenizer.ggml.model", "gpt2");
  b.set("tokenizer.ggml.pre", "gpt-2");
  b.set("tokenizer.ggml.tokens", GgufKind::string, std::vector<std::string>{"a", "b", "ab", "<e>"});
  b.set("tokenizer.ggml.token_type", GgufKind::i32, std::vector<int32_t>{1, 1, 1, 3});
  b.set("tokenizer.ggml.merges", GgufKind::string, std::vector<std::string>{"a b"});
  b.set("tokenizer.ggml.bos_token_id", 3u);
  b.set("tokenizer.ggml.eos_token_id", 3u);
  std::mt19937_64 random(1);
  const auto tensor = [&](const char* name, std::vector<uint64_t> shape, uint32_t type) {
    uint64_t elements = 1;
    for (uint64_t extent : shape) elements *= extent;
    b.tensors.push_back({name, shape, type, random_blocks(random, type, elements)});
  };
  tensor("token_embd.weight", {4, 32}, q8_0);
  tensor("output_norm.weight", {32}, f32);
  tensor("blk.0.attn_norm.weight", {32}, f32);
  tensor("blk.0.attn_q.weight", {32, 32}, q4_1);
  tensor("blk.0.attn_k.weight", {16, 32}, q4_0);
  tensor("blk.0.attn_v.weight", {16, 32}, f16);
  tensor("blk.0.attn_output.weight", {32, 32}, q4_0);
  tensor("blk.0.ffn_norm.weight", {32}, f32);
  tensor("blk.0.ffn_gate.weight", {64, 32}, q4_1);
  tensor("blk.0.ffn_up.weight", {64, 32}, q4_1);
  tensor("blk.0.ffn_down.weight", {32, 64}, q8_0);
  return b;
}

// What the reader says to a small llama that `change` has made worse.
using Change = std::function<void(GgufBuilder&)>;
std::string refusal_of(const Change& change) {
  GgufBuilder b = small_llama();
  change(b);
  const TemporaryFolder folder;
  const auto file = folder.write("model.gguf", b.bytes());
  const std::string message = refusal([&] { read_everything(file); });
  BOOST_TEST((message.empty() || message.starts_with(file.string() + ": ")), message);
  return message;
}
std::string tokenizer_refusal_of(const Change& change) {
  GgufBuilder b = small_llama();
  change(b);
  const TemporaryFolder folder;
  const auto file = folder.write("model.gguf", b.bytes());
  return refusal([&] { open_tokenizer(file)->encode("abba<e>"); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf)

BOOST_AUTO_TEST_CASE(a_good_file_is_taken_in_both_versions_and_any_alignment) {
  for (uint32_t version : {2, 3})
    for (uint32_t alignment : {1, 8, 32, 4096}) {
      const std::string message = refusal_of([&](GgufBuilder& b) {
        b.version = version;
        b.padding = alignment;
        b.set("general.alignment", alignment);
      });
      BOOST_TEST(message == "");
    }
  BOOST_TEST(tokenizer_refusal_of([](GgufBuilder&) {}) == "");
}

// All 65536 halves, the values by the formula of IEEE 754.
BOOST_AUTO_TEST_CASE(every_binary16_is_expanded_exactly) {
  GgufBuilder b = small_llama();
  std::string halves;
  std::vector<float> expected;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent == 31) continue;
    const double magnitude =
        exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
    expected.push_back(float(bits & 0x8000 ? -magnitude : magnitude));
    halves += raw(uint16_t(bits));
  }
  b.tensor("output_norm.weight") = {"output_norm.weight", {expected.size()}, f16, halves};
  const TemporaryFolder folder;
  const auto checkpoint = open_checkpoint(folder.write("model.gguf", b.bytes()));
  const auto got = checkpoint->tensor("model.norm.weight").values;
  BOOST_REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(expected[i]), i);
}

BOOST_AUTO_TEST_CASE(rows_of_q_and_k_come_back_in_half_order) {
  GgufBuilder b = small_llama();
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight"}) {
    GgufBuilder::Tensor& t = b.tensor(name);
    t.type = f32;
    t.bytes.clear();
    for (uint64_t i = 0; i < t.shape[0] * t.shape[1]; ++i)
      t.bytes += raw(float(i / 32));  // its row
  }
  const TemporaryFolder folder;
  const auto llama = open_checkpoint(folder.write("llama.gguf", b.bytes()));
  for (GgufBuilder::Entry& entry : b.entries)
    if (entry.key.starts_with("llama.")) entry.key.replace(0, 5, "qwen2");
  b.set("general.architecture", "qwen2");
  const auto qwen2 = open_checkpoint(folder.write("qwen2.gguf", b.bytes()));
  const std::string attention = "model.layers.0.self_attn.";
  const int within_head[16] = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15};
  for (size_t row = 0; row < 32; ++row) {
    const float stored = float(row / 16 * 16) + float(within_head[row % 16]);
    BOOST_TEST(llama->tensor(attention + "q_proj.weight").values[row * 32 + 7] == stored);
    BOOST_TEST(qwen2->tensor(attention + "q_proj.weight").values[row * 32 + 7] == float(row));
    if (row >= 16) continue;
    BOOST_TEST(llama->tensor(attention + "k_proj.weight").values[row * 32 + 7] == stored);
    BOOST_TEST(llama->tensor(attention + "v_proj.weight").values[row * 32 + 7] == float(row));
  }
  BOOST_TEST(qwen2->config()["architectures"][0] == "Qwen2ForCausalLM");
}

BOOST_AUTO_TEST_CASE(options_are_translated_where_they_are_stated) {
  GgufBuilder b = small_llama();
  const TemporaryFolder folder;
  auto config = open_checkpoint(folder.write("a.gguf", b.bytes()))->config();
  BOOST_TEST(config["rope_theta"] == 10000.0);
  BOOST_TEST(!config.contains("head_dim"));
  BOOST_TEST(!config.contains("rope_scaling"));
  BOOST_TEST(config["vocab_size"] == 4);
  BOOST_TEST(config["tie_word_embeddings"] == true);
  b.set("llama.rope.freq_base", 5e5f);
  b.set("llama.rope.scaling.type", "linear");
  b.set("llama.rope.scaling.factor", 4.0f);
  b.set("llama.attention.key_length", 16u);
  b.set("llama.attention.value_length", 16u);
  b.set("llama.expert_count", 0u);
  b.set("tokenizer.ggml.eot_token_id", 2u);
  b.tensors.push_back(b.tensor("token_embd.weight"));
  b.tensors.back().name = "output.weight";
  config = open_checkpoint(folder.write("b.gguf", b.bytes()))->config();
  BOOST_TEST(config["rope_theta"] == 5e5);
  BOOST_TEST(config["head_dim"] == 16);
  BOOST_TEST(config["rope_scaling"]["rope_type"] == "linear");
  BOOST_TEST(config["rope_scaling"]["factor"] == 4.0);
  BOOST_TEST(config["tie_word_embeddings"] == false);
  BOOST_TEST(config["eos_token_id"] == nlohmann::json({3, 2}));
}

BOOST_AUTO_TEST_CASE(a_container_that_lies_is_refused_by_name) {
  using B = GgufBuilder;
  check_refusal(refusal_of([](B& b) { b.magic = "GGML"; }), "no GGUF file");
  check_refusal(refusal_of([](B& b) { b.version = 1; }), "version 1");
  check_refusal(refusal_of([](B& b) { b.version = 4; }), "version 4");
  check_refusal(refusal_of([](B& b) { b.version = 3u << 24; }), "big-endian");
  for (uint32_t bad : {0u, 3u, 33u, 0xFFFFFFFFu})
    check_refusal(refusal_of([&](B& b) { b.set("general.alignment", bad); }),
                  "'general.alignment'");
  check_refusal(refusal_of([](B& b) { b.set("general.alignment", "32"); }), "'general.alignment'");
  for (uint64_t more : {uint64_t(1000), uint64_t(1) << 40, uint64_t(1) << 63, -uint64_t(20)}) {
    check_refusal(refusal_of([&](B& b) { b.more_tensors = more; }), "tensors");
    check_refusal(refusal_of([&](B& b) { b.more_entries = more; }), "metadata entries");
    if (more == 1000) continue;  // the file has as many bytes behind the value
    check_refusal(refusal_of([&](B& b) { b.set("x", GgufKind::string, raw(more)); }), "'x'");
    for (GgufKind kind : {GgufKind::u8, GgufKind::f64, GgufKind::string})
      check_refusal(
          refusal_of([&](B& b) { b.set("x", GgufKind::array, raw(uint32_t(kind)) + raw(more)); }),
          "'x'");
  }
  check_refusal(
      refusal_of([](B& b) { b.set("x", GgufKind::array, raw(uint32_t(9)) + raw(uint64_t(1))); }),
      "array of arrays");
  check_refusal(refusal_of([](B& b) { b.set("x", GgufKind(13), raw(0)); }), "unknown type 13");
  check_refusal(refusal_of([](B& b) { b.set("x", GgufKind::boolean, "\2"); }), "neither 0 nor 1");
  check_refusal(refusal_of([](B& b) { b.entries.push_back(b.entries[3]); }), "twice");
}

BOOST_AUTO_TEST_CASE(tensors_that_lie_are_refused_by_name) {
  using B = GgufBuilder;
  const std::string name = "blk.0.attn_q.weight";
  const auto worse = [&](auto change) { return refusal_of([&](B& b) { change(b.tensor(name)); }); };
  using T = B::Tensor;
  check_refusal(worse([](T& t) { t.shift = -32; }), "overlaps");
  check_refusal(worse([](T& t) { t.shift = 32; }), "belong to no tensor");
  check_refusal(worse([](T& t) { t.shift = 4; }), "multiple of the alignment");
  check_refusal(worse([](T& t) { t.shift = int64_t(1) << 40; }), "belong to no tensor");
  check_refusal(worse([](T& t) { t.shift = INT64_MIN; }), "belong to no tensor");
  check_refusal(worse([](T& t) { t.shape = {}; }), "0 dimensions");
  check_refusal(worse([](T& t) { t.shape = {1, 1, 1, 32, 32}; }), "5 dimensions");
  check_refusal(worse([](T& t) { t.shape = {0, 32}; }), "extent of 0");
  check_refusal(worse([](T& t) { t.shape = {1ull << 63, 32}; }), "extent of 9223372036854775808");
  check_refusal(worse([](T& t) { t.shape = {1ull << 62, 32}; }), "overflows");
  check_refusal(worse([](T& t) { t.shape = {1ull << 31, 1ull << 31, 1, 32}; }), "overflows");
  check_refusal(worse([](T& t) { t.shape = {1, 1ull << 62}; }), "'" + name + "' needs bytes");
  check_refusal(worse([](T& t) { t.shape = {1 << 20, 32}; }), "'" + name + "' needs bytes");
  check_refusal(worse([](T& t) { t.shape = {32, 33}; }), "multiple of 32");
  check_refusal(worse([](T& t) { t.type = 4; }), "unknown element type 4");
  check_refusal(worse([](T& t) { t.type = q8_1, t.bytes.resize(36 * 32); }), "is Q8_1; expected");
  check_refusal(worse([](T& t) { t.name = "blk.0.attn_k.weight"; }), "twice");
  check_refusal(worse([](T& t) { t.shape = {8, 128}; }), "8 rows");
  check_refusal(refusal_of([](B& b) { b.tensors.back().bytes += std::string(32, ' '); }), "end");
}

BOOST_AUTO_TEST_CASE(weights_that_are_no_numbers_are_refused_by_name) {
  const struct {
    const char* tensor;
    size_t at;
    uint16_t half;
    const char* what;
  } bad[] = {{"blk.0.attn_q.weight", 0, 0x7E00, "a NaN"},     // scale of Q4_1
             {"blk.0.attn_q.weight", 2, 0x7C00, "infinity"},  // its minimum
             {"blk.0.attn_k.weight", 18, 0xFC01, "a NaN"},    // scale of Q4_0, second block
             {"blk.0.ffn_down.weight", 34, 0x7E00, "a NaN"},  // scale of Q8_0
             {"blk.0.attn_v.weight", 1022, 0xFC00, "infinity"},
             {"output_norm.weight", 126, 0x7FC0, "a NaN"}};  // the upper half of an F32
  for (const auto& b : bad) {
    const std::string message = refusal_of([&](GgufBuilder& builder) {
      builder.tensor(b.tensor).bytes.replace(b.at, 2, raw(b.half));
    });
    check_refusal(message, std::string("tensor '") + b.tensor + "' holds");
    check_refusal(message, b.what);
  }
}

BOOST_AUTO_TEST_CASE(options_that_change_the_arithmetic_are_refused_by_name) {
  using B = GgufBuilder;
  const auto with = [](const char* key, auto value) {
    return refusal_of([&](B& b) { b.set(key, value); });
  };
  check_refusal(with("general.architecture", "lama"), "did you mean 'llama'");
  check_refusal(with("general.type", "adapter"), "'adapter'");
  check_refusal(with("general.quantization_version", 1u), "quantization_version");
  check_refusal(with("split.count", 2u), "split.count");
  check_refusal(with("llama.expert_count", 8u), "'llama.expert_count'");
  check_refusal(with("llama.attention.sliding_window", 4096u), "'llama.attention.sliding_window'");
  check_refusal(with("llama.logit_scale", 0.5f), "'llama.logit_scale'");
  check_refusal(with("llama.attention.scale", 0.5f), "'llama.attention.scale'");
  check_refusal(with("llama.rope.scaling.type", "yarn"), "'yarn'");
  check_refusal(with("llama.rope.scaling.type", "linear"), "'llama.rope.scaling.factor'");
  check_refusal(with("llama.rope.scaling.attn_factor", 2.0f), "attn_factor'");
  check_refusal(with("llama.rope.dimension_count", 8u), "'llama.rope.dimension_count' is 8");
  check_refusal(with("llama.attention.value_length", 8u), "'llama.attention.value_length' is 8");
  check_refusal(with("llama.attention.head_count", 0u), "'llama.attention.head_count' is 0");
  check_refusal(with("llama.attention.head_count", 5u), "no multiple of");
  check_refusal(with("llama.attention.head_count", "2"), "is not an integer");
  check_refusal(with("llama.attention.head_count", -2.0f), "is not an integer");
  check_refusal(with("llama.attention.layer_norm_rms_epsilon", NAN), "finite number above 0");
  check_refusal(with("llama.attention.layer_norm_rms_epsilon", -1.0f), "finite number above 0");
  check_refusal(with("llama.rope.freq_base", INFINITY), "finite number above 0");
  check_refusal(with("llama.block_count", 0x7FFFFFFFu), "'llama.block_count'");
  for (const char* key : {"general.architecture", "llama.block_count", "llama.embedding_length",
                          "llama.feed_forward_length", "llama.attention.head_count",
                          "llama.attention.layer_norm_rms_epsilon"})
    check_refusal(refusal_of([&](B& b) { b.remove(key); }), std::string("'") + key + "'");
  for (const char* name : {"rope_freqs.weight", "blk.1.attn_norm.weight", "blk.00.attn_norm.weight",
                           "blk.0.attn_q_norm.weight", "blk.0.attn_norm.scale", "blk.", "", "x"})
    check_refusal(refusal_of([&](B& b) { b.tensor("blk.0.ffn_norm.weight").name = name; }),
                  std::string("tensor '") + name + "' has no place");
  check_refusal(refusal_of([](B& b) { b.tensors.erase(b.tensors.begin()); }), "token_embd.weight");
}

BOOST_AUTO_TEST_CASE(tokenizers_that_lie_are_refused_by_name) {
  using B = GgufBuilder;
  using Texts = std::vector<std::string>;
  const auto with = [](const char* key, auto value) {
    return tokenizer_refusal_of([&](B& b) { b.set(key, value); });
  };
  const auto texts = [](const char* key, const Texts& values) {
    return tokenizer_refusal_of([&](B& b) { b.set(key, GgufKind::string, values); });
  };
  check_refusal(with("tokenizer.ggml.model", "bert"), "'bert'");
  check_refusal(with("tokenizer.ggml.pre", "smolm"), "did you mean 'smollm'");
  check_refusal(with("tokenizer.ggml.add_space_prefix", true), "add_space_prefix");
  check_refusal(with("tokenizer.ggml.eos_token_id", 4u), "token id 4");
  check_refusal(with("tokenizer.ggml.eos_token_id", "3"), "eos_token_id");
  check_refusal(with("tokenizer.ggml.tokens", "a"), "array of strings");
  check_refusal(texts("tokenizer.ggml.tokens", {"a", "b", "ab", "a"}), "token 3 is token 0 once");
  check_refusal(texts("tokenizer.ggml.tokens", {"a", "b", "ab", "\xFF"}), "token 3 is not UTF-8");
  check_refusal(texts("tokenizer.ggml.tokens", {"a", "b", "ab"}), "3 tokens and 4 token types");
  check_refusal(texts("tokenizer.ggml.tokens", {}), "0 tokens and 4");
  check_refusal(texts("tokenizer.ggml.merges", {"a c"}), "merge 0 is not of two tokens");
  check_refusal(texts("tokenizer.ggml.merges", {"a b", "ab"}), "merge 1 is not of two tokens");
  check_refusal(texts("tokenizer.ggml.merges", {""}), "merge 0");
  check_refusal(texts("tokenizer.ggml.merges", {" "}), "merge 0");
  check_refusal(texts("tokenizer.ggml.merges", {"b a"}), "does not give a token");
  for (const char* key : {"tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
                          "tokenizer.ggml.merges"})
    check_refusal(tokenizer_refusal_of([&](B& b) { b.remove(key); }), key);
  check_refusal(tokenizer_refusal_of([](B& b) {
                  b.set("tokenizer.ggml.add_bos_token", true);
                  b.remove("tokenizer.ggml.bos_token_id");
                }),
                "bos_token_id");
}

BOOST_AUTO_TEST_CASE(tokens_around_a_text_come_only_where_the_file_says_so) {
  GgufBuilder b = small_llama();
  const TemporaryFolder folder;
  const auto ids = [&] {
    return open_tokenizer(folder.write("t.gguf", b.bytes()))->encode("ba<e>ab");
  };
  BOOST_TEST(ids() == (std::vector<int64_t>{1, 0, 3, 2}));
  b.set("tokenizer.ggml.add_bos_token", true);
  BOOST_TEST(ids() == (std::vector<int64_t>{3, 1, 0, 3, 2}));
  b.set("tokenizer.ggml.add_eos_token", true);
  BOOST_TEST(ids() == (std::vector<int64_t>{3, 1, 0, 3, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_byte_that_the_vocabulary_lacks_is_left_out) {
  const TemporaryFolder folder;
  const auto tokenizer = open_tokenizer(folder.write("t.gguf", small_llama().bytes()));
  BOOST_TEST(tokenizer->encode("axb") == (std::vector<int64_t>{2}));  // a and b meet
  BOOST_TEST(tokenizer->encode("xé").empty());
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  const std::string whole = small_llama().bytes();
  const TemporaryFolder folder;
  const auto file = folder.write("model.gguf", whole);
  for (size_t size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(file, size);
    BOOST_TEST(refusal([&] { open_checkpoint(file); }) != "", "cut to " << size << " bytes");
    BOOST_TEST(refusal([&] { open_tokenizer(file); }) != "", "cut to " << size << " bytes");
  }
}

BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_read_but_never_worse) {
  std::string whole = small_llama().bytes();
  const size_t header = whole.find("blk.0.ffn_down.weight") + 80;
  const TemporaryFolder folder;
  size_t refused = 0;
  reset_largest_allocation();
  for (size_t at = 0; at < header; ++at)
    for (int flip : {0x01, 0x80, 0xFF}) {
      const char kept = whole[at];
      whole[at] = char(whole[at] ^ flip);
      const auto file = folder.write("model.gguf", whole);
      refused += refusal([&] { read_everything(file); }) != "";
      refusal([&] { open_tokenizer(file)->encode("abba"); });
      whole[at] = kept;
    }
  BOOST_TEST(refused > header);  // most of the 3 · header changes
  BOOST_TEST(largest_allocation() < size_t(1) << 20);
}

BOOST_AUTO_TEST_SUITE_END()
