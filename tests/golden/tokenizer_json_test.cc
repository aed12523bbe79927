// tokenizer.json of a folder: written from the vocabulary of a GGUF file, it gives the same tokens.

#include "golden/tokenizer/tokenizer_json.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "golden/checkpoint/gguf.h"
#include "golden/tokenizer/byte_alphabet.h"
#include "tests/deep_json.h"
#include "tests/golden/refusal.h"
#include "tests/golden/token_vectors.h"
#include "tests/shared_data.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

const json byte_level = {
    {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};

json sequence(const json& first, const json& second) {
  return {{"type", "Sequence"}, {"pretokenizers", {first, second}}};
}

// By a pattern, then to bytes.
json split_by(const char* pattern) {
  json bytes = byte_level;
  bytes["use_regex"] = false;
  return sequence({{"type", "Split"},
                   {"pattern", {{"Regex", pattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}},
                  bytes);
}

// As the folders of GPT-2, SmolLM2 (and StarCoder) and Qwen2 have them.
json pre_tokenizer(std::string_view name) {
  if (name == "gpt-2") return byte_level;
  if (name != "qwen2")
    return sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level);
  const char* pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  return split_by(pattern);
}

json added_token(int64_t id, std::string_view text) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

json tokenizer_of(const json& vocab, const json& merges, const json& added, const json& rule) {
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", rule},
          {"post_processor", nullptr},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", ""},
            {"end_of_word_suffix", ""},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocab},
            {"merges", merges}}}};
}

// The vocabulary of a GGUF file; merges as strings, or as pairs.
json from_gguf(const std::filesystem::path& path, bool pairs) {
  const GgufFile file = GgufFile::open(path);
  const auto tokens = file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto types = file.need<std::vector<int64_t>>("tokenizer.ggml.token_type");
  json vocab = json::object(), added = json::array(), merges = json::array();
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (types[id] == 3 || types[id] == 4)
      added.push_back(added_token(int64_t(id), tokens[id]));
    else
      vocab[std::string(tokens[id])] = id;
  }
  for (std::string_view merge : file.need<std::vector<std::string_view>>("tokenizer.ggml.merges")) {
    const size_t space = merge.find(' ');
    if (pairs)
      merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
    else
      merges.push_back(merge);
  }
  return tokenizer_of(vocab, merges, added,
                      pre_tokenizer(file.need<std::string_view>("tokenizer.ggml.pre")));
}

struct TokenizerFolder : TemporaryFolder {
  explicit TokenizerFolder(const json& tokenizer, const json& config = {{"eos_token_id", 0}}) {
    write("tokenizer.json", tokenizer.dump());
    write("config.json", config.dump());
  }
};

// Every byte; "ab" and "abc"; one token that was added.
json small_tokenizer() {
  json vocab = json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[letter_of_byte(uint8_t(byte))] = byte;
  vocab["ab"] = 256;
  vocab["abc"] = 257;
  return tokenizer_of(vocab, {"a b", "ab c"}, json::array({added_token(258, "<|end|>")}),
                      byte_level);
}

using Ids = std::vector<int64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(tokenizer_json)

BOOST_AUTO_TEST_CASE(gives_the_tokens_of_the_same_vocabulary_in_gguf) {
  std::vector<std::filesystem::path> files;
  for (const char* name : {"gpt-2", "starcoder"})
    if (const auto file = shared_data(std::string("tokenizers/ggml-vocab-") + name + ".gguf"))
      files.push_back(*file);
  for (const auto& [asset, name] :
       {std::pair{"smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"},
        {"qwen2.5-coder-0.5b", "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf"}})
    if (const auto file = fetched_asset(asset, name)) files.push_back(*file);
  for (size_t f = 0; f < files.size(); ++f) {
    const TokenizerFolder folder(from_gguf(files[f], f % 2 == 0));
    const auto ours = open_tokenizer(folder.path()), gguf = open_tokenizer(files[f]);
    BOOST_TEST(ours->size() == gguf->size());
    if (files[f].parent_path().filename() == "tokenizers")
      check_vectors(*ours, read_vectors(files[f]));
    std::mt19937_64 random(4);
    for (int i = 0; i < 200; ++i) {
      const std::string text = random_text(random, random() % 300);
      BOOST_TEST(ours->encode(text) == gguf->encode(text), files[f].filename()
                                                               << ", seed 4, text " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(added_tokens_are_matched_first_and_ends_come_from_the_configuration) {
  const TokenizerFolder folder(small_tokenizer(),
                               {{"bos_token_id", 65}, {"eos_token_id", {258, 1}}});
  const auto tokenizer = open_tokenizer(folder.path());
  BOOST_TEST(tokenizer->encode("abcab<|end|>a") == (Ids{257, 256, 258, 'a' - '!' + 33}));
  BOOST_TEST(tokenizer->decode(Ids{257, 258}) == "abc<|end|>");
  BOOST_TEST(*tokenizer->bos() == 65);
  BOOST_TEST(*tokenizer->eos() == 258);
  folder.write(
      "tokenizer_config.json",
      R"({"bos_token": null, "eos_token": {"content": "<|end|>"}, "add_bos_token": false})");
  const auto named = open_tokenizer(folder.path());
  BOOST_TEST(!named->bos());
  BOOST_TEST(*named->eos() == 258);
}

// As the folders of Qwen2 have it.
BOOST_AUTO_TEST_CASE(texts_are_composed_between_the_added_tokens) {
  json object = small_tokenizer();
  // An accent behind its letter; behind a token; a syllable of Hangul in parts; a sign that
  // composition replaces.
  const struct {
    const char *text, *composed;
  } cases[] = {{"ab e\u0301 ab", "ab \u00E9 ab"},
               {"ab<|end|>\u0301e\u0301", "ab<|end|>\u0301\u00E9"},
               {"\u1112\u1161\u11ab", "\uD55C"},
               {"\u212B", "\u00C5"},
               {"abc", "abc"}};
  for (const json& normalizer :
       {json{{"type", "NFC"}},
        json{{"type", "Sequence"}, {"normalizers", json::array({{{"type", "NFC"}}})}}}) {
    object["normalizer"] = nullptr;
    const auto plain = open_tokenizer(TokenizerFolder(object).path());
    object["normalizer"] = normalizer;
    const auto composing = open_tokenizer(TokenizerFolder(object).path());
    for (const auto& [text, composed] : cases) {
      BOOST_TEST(composing->encode(text) == plain->encode(composed), text);
      BOOST_TEST((plain->encode(text) == plain->encode(composed)) ==
                 (std::string_view(text) == composed));  // the control
    }
  }
  object["added_tokens"][0]["normalized"] = true;
  check_refusal(refusal([&] { open_tokenizer(TokenizerFolder(object).path()); }),
                "added_tokens[0].normalized");
}

BOOST_AUTO_TEST_CASE(llama_3_takes_a_piece_that_is_a_token_whole) {
  json object = small_tokenizer();
  const char* pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  object["pre_tokenizer"] = split_by(pattern);
  object["model"]["merges"] = {"a b"};  // none gives "abc"
  const auto ids = [&](std::string_view text) {
    return open_tokenizer(TokenizerFolder(object).path())->encode(text);
  };
  BOOST_TEST(ids("abc").size() == 2u);  // the control
  object["model"]["ignore_merges"] = true;
  BOOST_TEST(ids("abc") == (Ids{257}));
  BOOST_TEST(ids("abcab").size() == 3u);  // ab, c, ab: no token as a whole
}

BOOST_AUTO_TEST_CASE(a_template_adds_a_token_at_each_end) {
  json object = small_tokenizer();
  const json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const json end = {{"SpecialToken", {{"id", "<|end|>"}, {"type_id", 0}}}};
  object["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {end, text, end}},
      {"special_tokens",
       {{"<|end|>", {{"id", "<|end|>"}, {"ids", {258}}, {"tokens", {"<|end|>"}}}}}}};
  BOOST_TEST(open_tokenizer(TokenizerFolder(object).path())->encode("ab") == (Ids{258, 256, 258}));
  // Beside the ByteLevel that moves offsets.
  object["post_processor"] = {{"type", "Sequence"},
                              {"processors", {byte_level, object["post_processor"]}}};
  BOOST_TEST(open_tokenizer(TokenizerFolder(object).path())->encode("") == (Ids{258, 258}));
  object["post_processor"]["processors"][1]["single"] = {end, end, text};
  check_refusal(refusal([&] { open_tokenizer(TokenizerFolder(object).path()); }),
                "more than one token");
}

BOOST_AUTO_TEST_CASE(what_is_not_computed_is_refused_by_name) {
  const struct {
    const char* pointer;
    json value;
    const char* says;
  } edits[] = {
      {"/model/type", "Unigram", "model is of the type 'Unigram'"},
      {"/normalizer", {{"type", "NFKC"}}, "normalizer is of the type 'NFKC'; expected NFC"},
      {"/normalizer",
       {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Lowercase"}}}}},
       "normalizer.normalizers[1] is of the type 'Lowercase'"},
      {"/pre_tokenizer", {{"type", "Metaspace"}}, "'Metaspace'"},
      {"/pre_tokenizer", nullptr, "pre_tokenizer is missing"},
      {"/pre_tokenizer/add_prefix_space", true, "pre_tokenizer.add_prefix_space"},
      {"/pre_tokenizer/use_regex", false, "none that is known (gpt-2, "},
      {"/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", json::array()}}, "known"},
      {"/pre_tokenizer", sequence({{"type", "Digits"}}, byte_level), "'Digits'"},
      {"/pre_tokenizer",
       sequence({{"type", "Split"}, {"pattern", {{"Regex", "x"}}}, {"behavior", "Isolated"}},
                byte_level),
       "'Split x', 'ByteLevel'"},
      {"/pre_tokenizer",
       sequence({{"type", "Split"}, {"pattern", {{"String", "x"}}}, {"behavior", "Isolated"}},
                byte_level),
       "pre_tokenizer.pretokenizers[0].pattern.Regex is no string"},
      {"/post_processor", {{"type", "RobertaProcessing"}}, "'RobertaProcessing'"},
      {"/decoder", {{"type", "Metaspace"}}, "decoder is of the type 'Metaspace'"},
      {"/model/byte_fallback", true, "model.byte_fallback"},
      {"/model/ignore_merges", "yes", "model.ignore_merges"},
      {"/model/dropout", 0.1, "model.dropout"},
      {"/model/end_of_word_suffix", "</w>", "model.end_of_word_suffix"},
      {"/added_tokens/0/lstrip", true, "added_tokens[0].lstrip"},
  };
  for (const auto& [pointer, value, says] : edits) {
    json object = small_tokenizer();
    object[json::json_pointer(pointer)] = value;
    const TokenizerFolder folder(object);
    const std::string message = refusal([&] { open_tokenizer(folder.path()); });
    check_refusal(message, says);
    check_refusal(message, folder / "tokenizer.json");
  }
  // An unknown token is of no consequence where every byte is known.
  json object = small_tokenizer();
  object["model"]["unk_token"] = "<|end|>";
  open_tokenizer(TokenizerFolder(object).path());
  object["model"]["vocab"].erase("abc");
  object["model"]["vocab"]["abc"] = object["model"]["vocab"]["z"];
  object["model"]["vocab"].erase("z");
  object["added_tokens"][0]["id"] = 257;
  check_refusal(refusal([&] { open_tokenizer(TokenizerFolder(object).path()); }),
                "lacks the byte 122");
}

BOOST_AUTO_TEST_CASE(damaged_fields_are_named) {
  const struct {
    const char* pointer;
    json value;
    const char* says;
  } edits[] = {
      {"/model", 1, "model is no object"},
      {"/model/type", nullptr, "model.type is no string"},
      {"/model/vocab", json::array(), "model.vocab is no object"},
      {"/model/vocab/a", "x", "model.vocab.a is \"x\""},
      {"/model/vocab/a", -1, "model.vocab.a is -1"},
      {"/model/vocab/a", 1.5, "model.vocab.a is 1.5"},
      {"/model/vocab/a", 18446744073709551615u, "model.vocab.a is 18446744073709551615"},
      {"/model/vocab/a", 2147483647, "2147483647 of 'a'"},
      {"/model/vocab/ab", 257, "comes twice"},
      {"/model/merges", nullptr, "model.merges is no array"},
      {"/model/merges/0", 7, "model.merges[0] is no string"},
      {"/model/merges/0", {"a"}, "model.merges[0] is not of two"},
      {"/model/merges/0", "ab", "merge 0 is not of two tokens"},
      {"/model/merges/0", "b a", "merge 0 does not give a token"},
      {"/added_tokens", 3, "added_tokens is no array"},
      {"/added_tokens/0", 3, "added_tokens[0] is no object"},
      {"/added_tokens/0/content", nullptr, "added_tokens[0].content is no string"},
      {"/added_tokens/0/content", "ab", "added_tokens[0].id is 258"},
      {"/added_tokens/0/lstrip", "yes", "added_tokens[0].lstrip"},
  };
  for (const auto& [pointer, value, says] : edits) {
    json object = small_tokenizer();
    object[json::json_pointer(pointer)] = value;
    const TokenizerFolder folder(object);
    const std::string message = refusal([&] { open_tokenizer(folder.path()); });
    check_refusal(message, says);
    check_refusal(message, folder / "tokenizer.json");
  }
}

BOOST_AUTO_TEST_CASE(damaged_files_are_named) {
  const TokenizerFolder folder(small_tokenizer());
  const auto refused = [&] { return refusal([&] { open_tokenizer(folder.path()); }); };
  const std::string whole = small_tokenizer().dump();
  for (size_t size : {size_t(0), size_t(1), whole.size() / 2, whole.size() - 1}) {
    folder.write("tokenizer.json", whole.substr(0, size));
    check_refusal(refused(), "tokenizer.json: is no valid JSON");
  }
  folder.write("tokenizer.json", "[]");
  check_refusal(refused(), "tokenizer.json: is no JSON object");
  folder.write("tokenizer.json", deep_json("model"));
  check_refusal(refused(), "tokenizer.json: nests deeper");
  folder.write("tokenizer.json", whole);
  folder.write("config.json", R"({"eos_token_id": 259})");
  check_refusal(refused(), "token id 259 is out of the vocabulary");
  folder.write("config.json", R"({"eos_token_id": "x"})");
  check_refusal(refused(), "config.json: eos_token_id is \"x\"");
  folder.write("config.json", deep_json("eos_token_id"));
  check_refusal(refused(), "config.json: nests deeper");
  for (const auto& [text, says] :
       {std::pair{R"({"eos_token": "xy"})", "eos_token is 'xy', which is no token"},
        {R"({"add_bos_token": true})", "add_bos_token contradicts"},
        {R"({"add_prefix_space": true})", "add_prefix_space is true"}}) {
    folder.write("tokenizer_config.json", text);
    check_refusal(refused(), "tokenizer_config.json: " + std::string(says));
  }
  folder.write("tokenizer_config.json", deep_json("add_prefix_space"));
  check_refusal(refused(), "tokenizer_config.json: nests deeper");
  std::filesystem::remove(folder / "tokenizer.json");
  check_refusal(refused(), "has no tokenizer.json");
}

BOOST_AUTO_TEST_SUITE_END()
