#pragma once
// A model that knows one thing, how "abcdefg abcdefg …" goes on, and a cache of assets that ask for
// it: the main job in seconds, and without what must be fetched.

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "emu/files/atomic_file.h"
#include "eval/assets/assets.h"
#include "golden/tokenizer/byte_alphabet.h"
#include "tests/golden/gguf_builder.h"
#include "tests/temporary_folder.h"

namespace mxref {

inline constexpr std::string_view counted = "abcdefg ";

// GGUF, F32, one token a byte. Embeddings are random signs; the row of a token in the output matrix
// is the embedding of the one before it, so that the layers, of small random weights, only disturb.
inline std::string counting_model() {
  constexpr uint64_t D = 64, F = 96, H = 2, kv = 32, layers = 2, V = 256;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  GgufBuilder file;
  file.set("general.architecture", "llama");
  const auto size = [&](const char* key, uint64_t value) {
    file.set(std::string("llama.") + key, uint32_t(value));
  };
  size("block_count", layers);
  size("embedding_length", D);
  size("feed_forward_length", F);
  size("attention.head_count", H);
  size("attention.head_count_kv", 1);
  size("context_length", 2048);
  file.set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(letter_of_byte(uint8_t(byte)));
  file.set("tokenizer.ggml.model", "gpt2");
  file.set("tokenizer.ggml.pre", "smollm");
  file.set("tokenizer.ggml.tokens", GgufKind::string, tokens);
  file.set("tokenizer.ggml.merges", GgufKind::string, std::vector<std::string>{});
  file.set("tokenizer.ggml.eos_token_id", uint32_t(0));

  const auto add = [&](const std::string& name, std::vector<uint64_t> shape,
                       const std::vector<float>& values) {
    std::string bytes;
    for (float value : values) bytes += raw(value);
    file.tensors.push_back({name, std::move(shape), /*F32*/ 0, bytes});
  };
  const auto small = [&](const std::string& name, uint64_t rows, uint64_t cols) {
    std::vector<float> values(rows * cols);
    for (float& value : values) value = 0.02f * normal(random);
    add(name, {rows, cols}, values);
  };
  std::vector<float> embedding(V * D), output(V * D);
  for (float& value : embedding) value = random() & 1 ? 1 : -1;
  for (size_t i = 0; i < counted.size(); ++i) {
    const auto before = uint8_t(counted[i]);
    const auto token = uint8_t(counted[(i + 1) % counted.size()]);
    for (size_t d = 0; d < D; ++d) output[token * D + d] = 0.2f * embedding[before * D + d];
  }
  add("token_embd.weight", {V, D}, embedding);
  add("output.weight", {V, D}, output);
  add("output_norm.weight", {D}, std::vector<float>(D, 1));
  for (uint64_t layer = 0; layer < layers; ++layer) {
    const std::string prefix = "blk." + std::to_string(layer) + ".";
    for (const char* norm : {"attn_norm.weight", "ffn_norm.weight"})
      add(prefix + norm, {D}, std::vector<float>(D, 1));
    small(prefix + "attn_q.weight", D, D);
    small(prefix + "attn_k.weight", kv, D);
    small(prefix + "attn_v.weight", kv, D);
    small(prefix + "attn_output.weight", D, D);
    small(prefix + "ffn_gate.weight", F, D);
    small(prefix + "ffn_up.weight", F, D);
    small(prefix + "ffn_down.weight", D, F);
  }
  return file.bytes();
}

// Files of the lengths that the manifest states, in a folder for MXREF_CACHE. The texts count on;
// of each item one choice does, the first or the second.
inline void write_counting_assets(const std::filesystem::path& cache) {
  for (const char* name : {"calibration", "olmo-tasks"}) {
    const std::filesystem::path folder = cache / name;
    std::filesystem::create_directories(folder);
    for (const AssetFile& file : asset(name).files) {
      std::string text;
      const bool is_text = file.name.ends_with(".utf8");
      while (is_text && int64_t(text.size()) < file.bytes) text += counted;
      for (int i = 0; !is_text && i < 16; ++i)
        text += R"({"query":"abcdefg","choices":[)" +
                std::string(i % 2 ? R"("gfedcba","abcdefg")" : R"("abcdefg","gfedcba")") +
                R"(],"gold":)" + std::to_string(i % 2) + "}\n";
      text.resize(size_t(file.bytes), '\n');
      write_atomically(folder / file.name, text);
    }
  }
}

}  // namespace mxref
