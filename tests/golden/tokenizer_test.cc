// Byte-level byte pairs against the published vectors, and properties on random text.

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "emu/files/safetensors.h"
#include "golden/checkpoint/gguf.h"
#include "golden/tokenizer/pre_tokenizer.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/refusal.h"
#include "tests/golden/token_vectors.h"
#include "tests/shared_data.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

// A string cut into what the rule makes of it, joined by '|'.
std::string pieces(const char* rule, const std::string& text) {
  std::string joined;
  for (std::string_view piece : PreTokenizer(rule).split(text)) (joined += piece) += '|';
  joined.pop_back();
  return joined;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokenizer)

BOOST_AUTO_TEST_CASE(published_vectors_of_byte_level_vocabularies) {
  for (const char* name : {"gpt-2", "starcoder"}) {
    const auto file = shared_data(std::string("tokenizers/ggml-vocab-") + name + ".gguf");
    if (!file) return;
    const auto vectors = read_vectors(*file);
    BOOST_TEST(vectors.size() == 46u);
    check_vectors(*open_tokenizer(*file), vectors);
  }
}

// The first tokens of WikiText-2, as the reference has them.
static void check_window(const Tokenizer& tokenizer, const std::string& model, int64_t window) {
  const auto text = shared_data("wikitext2/wiki.test.raw");
  const auto reference = shared_data("models/" + model + "/reference.safetensors");
  if (!text || !reference) return;
  const auto file = SafetensorsFile::open(*reference);
  const TensorView& expected = file.at("wikitext2.window" + std::to_string(window) + ".input_ids");
  const auto ids = tokenizer.encode(read_file(*text));
  BOOST_REQUIRE(expected.elements() == window);
  BOOST_REQUIRE(int64_t(ids.size()) > window);
  BOOST_TEST(std::memcmp(ids.data(), expected.bytes.data(), expected.bytes.size()) == 0, model);
}

BOOST_AUTO_TEST_CASE(token_ids_of_whole_models) {
  const struct {
    const char *asset, *file, *model;
    int64_t size, eos, window;
  } models[] = {{"smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2", 49152, 2, 2048},
                {"qwen2.5-coder-0.5b", "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
                 "qwen25_coder_05b", 151936, 151645, 1024}};
  for (const auto& m : models) {
    const auto vectors = shared_data(std::string("models/") + m.model + "/tokens.json");
    const auto file = fetched_asset(m.asset, m.file);
    if (!vectors || !file) continue;
    const auto tokenizer = open_tokenizer(*file);
    BOOST_TEST(tokenizer->size() == m.size);
    BOOST_TEST(*tokenizer->eos() == m.eos);
    check_vectors(*tokenizer, read_token_json(*vectors));
    check_window(*tokenizer, m.model, m.window);
  }
}

// Where the vocabulary itself is not at hand: a token never crosses from one piece into the next.
BOOST_AUTO_TEST_CASE(pieces_of_qwen2_end_where_tokens_end) {
  const auto file = shared_data("models/qwen25_coder_05b/tokens.json");
  if (!file) return;
  size_t crossed_by_gpt2 = 0;
  const json tokens = json::parse(read_file(*file));
  for (const json& entry : tokens["strings"]) {
    const std::string text = entry["text"];
    if (text.find("<|") != text.npos || text.find("<tool") != text.npos) continue;
    // Each letter of a piece is one byte of the text.
    std::vector<bool> token_ends(text.size() + 1);
    size_t at = 0;
    for (const std::string piece : entry["pieces"]) {
      for (const char c : piece) at += (c & 0xC0) != 0x80;
      token_ends.at(at) = true;
    }
    const auto crossed = [&](const char* rule) {
      size_t end = 0, count = 0;
      for (std::string_view piece : PreTokenizer(rule).split(text))
        count += !token_ends.at(end += piece.size());
      return count;
    };
    BOOST_TEST(crossed("qwen2") == 0u, text);
    crossed_by_gpt2 += crossed("gpt-2");
  }
  BOOST_TEST(crossed_by_gpt2 > 0u);  // the control: another rule's pieces do not fit
}

BOOST_AUTO_TEST_CASE(rules_differ_where_their_authors_say) {
  BOOST_TEST(pieces("gpt-2", "in 2024, it's") == "in| 2024|,| it|'s");
  BOOST_TEST(pieces("smollm", "in 2024, it's") == "in| |2|0|2|4|,| it|'s");
  BOOST_TEST(pieces("starcoder", "x²½") == "x|²|½");
  BOOST_TEST(pieces("qwen2", "in 2024, it's") == "in| |2|0|2|4|,| it|'s");
  BOOST_TEST(pieces("qwen2", "IT'S a(b)\n\n") == "IT|'S| a|(b|)\n\n");
  BOOST_TEST(pieces("gpt-2", "IT'S a(b)\n\n") == "IT|'|S| a|(|b|)|\n\n");
  BOOST_TEST(pieces("llama-bpe", "in 20245, IT'S a(b)\n\n") == "in| |202|45|,| IT|'S| a|(b|)\n\n");
  BOOST_TEST(pieces("llama-bpe", "x²½①7") == "x|²½①|7");
  BOOST_TEST(pieces("qwen2", "it'ſ") == "it|'ſ");  // U+017F is no contraction: one with its mark
  BOOST_TEST(pieces("gpt-2", "a   b  ") == "a|  | b|  ");
  BOOST_TEST(pieces("gpt-2", "a\u180Eb") == "a|\u180E|b");  // no white space since Unicode 6.3
  BOOST_TEST(pieces("gpt-2", "a \u180E") == "a| \u180E");
  BOOST_TEST(pieces("gpt-2", "a\u00A0\u2003b") == "a|\u00A0|\u2003|b");
}

BOOST_AUTO_TEST_CASE(every_rule_keeps_every_byte) {
  std::mt19937_64 random(1);
  for (std::string_view rule : pre_tokenizer_names()) {
    const PreTokenizer pre_tokenizer(rule);
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random, i);
      std::string joined;
      for (std::string_view piece : pre_tokenizer.split(text)) joined += piece;
      BOOST_TEST(joined == text, rule << ", seed 1, text " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(decoding_what_was_encoded_gives_the_text) {
  const auto file = shared_data("tokenizers/ggml-vocab-gpt-2.gguf");  // has every byte
  if (!file) return;
  const auto tokenizer = open_tokenizer(*file);
  std::mt19937_64 random(2);
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text(random, random() % 300);
    const auto ids = tokenizer->encode(text);
    BOOST_TEST(tokenizer->decode(ids) == text, "seed 2, text " << i);
    BOOST_TEST(tokenizer->encode(text) == ids, "seed 2, text " << i);
  }
}

// Merging in the order of ranks, as slowly as it is defined: over and over the pair of least rank.
BOOST_AUTO_TEST_CASE(the_heap_merges_as_the_definition_does) {
  const auto file = shared_data("tokenizers/ggml-vocab-gpt-2.gguf");
  if (!file) return;
  const auto tokenizer = open_tokenizer(*file);
  const GgufFile gguf = GgufFile::open(*file);
  std::map<std::string, size_t, std::less<>> ranks;
  for (std::string_view merge : gguf.need<std::vector<std::string_view>>("tokenizer.ggml.merges"))
    ranks.emplace(merge, ranks.size());
  const auto tokens = gguf.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    std::string word;  // one piece: letters only, few of them, so that merges compete
    for (size_t n = 1 + random() % 60; n > 0; --n) word += "aeinrst"[random() % 7];
    std::vector<std::string> symbols;
    for (char c : word) symbols.emplace_back(1, c);
    for (;;) {
      size_t best = SIZE_MAX, at = 0;
      for (size_t j = 0; j + 1 < symbols.size(); ++j) {
        const auto rank = ranks.find(symbols[j] + " " + symbols[j + 1]);
        if (rank != ranks.end() && rank->second < best) best = rank->second, at = j;
      }
      if (best == SIZE_MAX) break;
      symbols[at] += symbols[at + 1];
      symbols.erase(symbols.begin() + long(at) + 1);
    }
    std::vector<std::string> got;
    for (int64_t id : tokenizer->encode(word)) got.emplace_back(tokens[size_t(id)]);
    BOOST_TEST(got == symbols, word << ", seed 3, word " << i);
  }
}

BOOST_AUTO_TEST_CASE(control_tokens_are_matched_before_anything_else) {
  const auto file = shared_data("tokenizers/ggml-vocab-starcoder.gguf");
  if (!file) return;
  const auto tokenizer = open_tokenizer(*file);
  const auto inside = tokenizer->encode("a<|endoftext|>b");
  BOOST_REQUIRE(inside.size() == 3u);
  BOOST_TEST(inside[1] == 0);
  BOOST_TEST(*tokenizer->eos() == 0);
  BOOST_TEST(tokenizer->decode(inside) == "a<|endoftext|>b");
  BOOST_TEST(tokenizer->encode("a<|endoftext|b").size() > 3u);
}

BOOST_AUTO_TEST_CASE(a_long_piece_takes_no_longer_than_many_short_ones) {
  const auto file = shared_data("tokenizers/ggml-vocab-gpt-2.gguf");
  if (!file) return;
  const auto tokenizer = open_tokenizer(*file);
  for (const char* unit : {"a", " ", "\n", "!", "7", "é", "ab "}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;  // quadratic time would be hours
    BOOST_TEST((tokenizer->decode(tokenizer->encode(text)) == text), unit);
  }
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf8_is_refused_with_its_offset) {
  const auto file = shared_data("tokenizers/ggml-vocab-gpt-2.gguf");
  if (!file) return;
  const auto tokenizer = open_tokenizer(*file);
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"}) {
    try {
      tokenizer->encode("é " + std::string(bad));
      BOOST_TEST(false, "no error for bytes that are not UTF-8");
    } catch (const InputError& e) {
      BOOST_TEST(std::string(e.what()) == "text is not UTF-8 at byte 3");
    }
  }
  for (const char* good :
       {"\xC2\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF"})
    BOOST_TEST(tokenizer->decode(tokenizer->encode(good)) == good);
  for (const int64_t id : {int64_t(-1), tokenizer->size(), INT64_MAX, INT64_MIN})
    BOOST_CHECK_THROW(tokenizer->decode(std::vector{id}), InputError);
}

BOOST_AUTO_TEST_CASE(other_tokenizers_are_refused_by_name) {
  GgufBuilder file;
  file.set("tokenizer.ggml.model", "bert");
  const TemporaryFolder folder;
  const auto path = folder.write("model.gguf", file.bytes());
  const std::string message = refusal([&] { open_tokenizer(path); });
  check_refusal(message, path.string());
  check_refusal(message, "'bert'; expected 'gpt2' (byte-level byte pairs) or 'llama'");
}

BOOST_AUTO_TEST_SUITE_END()
