// SentencePiece from a GGUF file and from the tokenizer.model of a folder.

#include <fcntl.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "golden/checkpoint/gguf.h"
#include "golden/checkpoint/tokenizer_files.h"
#include "golden/tokenizer/sentencepiece_model.h"
#include "tests/golden/gguf_builder.h"
#include "tests/golden/refusal.h"
#include "tests/golden/token_vectors.h"
#include "tests/shared_data.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

using Ids = std::vector<int64_t>;

const std::string mark = "▁";  // what a space becomes

std::optional<std::filesystem::path> llama_file() {
  return shared_data("tokenizers/ggml-vocab-llama-spm.gguf");
}

// Three controls, every byte, some letters and merges of them.
SentencePieceParts small_parts() {
  static std::vector<std::string> bytes;
  SentencePieceParts parts;
  parts.pieces = {{"<unk>", 0, PieceType::unknown},
                  {"<s>", 0, PieceType::control},
                  {"</s>", 0, PieceType::control}};
  for (int byte = 0; bytes.size() < 256; ++byte)
    bytes.push_back("<0x" + std::string(1, "0123456789ABCDEF"[byte / 16]) +
                    "0123456789ABCDEF"[byte % 16] + ">");
  for (const std::string& text : bytes) parts.pieces.push_back({text, 0, PieceType::byte});
  float score = 0;
  for (const char* text : {"▁", "a", "b", "ab", "▁ab", "<tool>"})
    parts.pieces.push_back({text, score--, PieceType::normal});
  parts.pieces.back().type = PieceType::user_defined;
  return parts;
}
constexpr int64_t space = 259, a = 260, b = 261, ab = 262, space_ab = 263, tool = 264;
std::string small_model() {
  return write_sentencepiece_model(small_parts()) + space_prefix_setting(true);
}

GgufBuilder small_gguf() {
  GgufBuilder file;
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;
  for (const SentencePiece& piece : small_parts().pieces) {
    tokens.emplace_back(piece.text);
    scores.push_back(piece.score);
    types.push_back(int32_t(piece.type));
  }
  file.set("tokenizer.ggml.model", "llama");
  file.set("tokenizer.ggml.tokens", GgufKind::string, tokens);
  file.set("tokenizer.ggml.scores", GgufKind::f32, scores);
  file.set("tokenizer.ggml.token_type", GgufKind::i32, types);
  file.set("tokenizer.ggml.bos_token_id", uint32_t(1));
  file.set("tokenizer.ggml.eos_token_id", uint32_t(2));
  return file;
}
Ids ids_by(const GgufBuilder& file, std::string_view text) {
  const TemporaryFolder folder;
  return open_tokenizer(folder.write("model.gguf", file.bytes()))->encode(text);
}

struct PieceFolder : TemporaryFolder {
  explicit PieceFolder(std::string_view model, const json& settings = json::object()) {
    write("tokenizer.model", model);
    write("tokenizer_config.json", settings.dump());
  }
  std::unique_ptr<Tokenizer> open() const { return open_tokenizer(path()); }
  std::string refused() const {
    return refusal([&] { open(); });
  }
};

// What is written to standard error meanwhile: the library may say something there.
std::string said(const std::function<void()>& run) {
  const TemporaryFolder folder;
  const std::string file = folder / "said";
  const int before = dup(STDERR_FILENO), into = open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(into, STDERR_FILENO);
  run();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(into);
  close(before);
  return read_file(file);
}

class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

// A model that the library itself has made, with its own normalizer's table.
std::string trained_model(const char* type) {
  std::vector<std::string> lines;
  std::mt19937 random(5);
  for (int i = 0; i < 400; ++i) {
    std::string line;
    for (int n = 0; n < 12; ++n)
      line += std::vector{"the ", "cat ", "sat ", "on ", "ＡＢ ", "mats "}[random() % 6];
    lines.push_back(line);
  }
  Lines source(std::move(lines));
  std::string proto;
  said([&] {
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        std::string("--vocab_size=40 --hard_vocab_limit=false --model_type=") + type, &source,
        &proto);
    BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
  });
  return proto;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sentencepiece_models)

BOOST_AUTO_TEST_CASE(published_vectors_of_llama) {
  const auto file = llama_file();
  if (!file) return;
  const auto vectors = read_vectors(*file);
  BOOST_TEST(vectors.size() == 46u);
  const auto tokenizer = open_tokenizer(*file);
  BOOST_TEST(tokenizer->size() == 32000);
  BOOST_TEST(*tokenizer->bos() == 1);
  BOOST_TEST(*tokenizer->eos() == 2);
  BOOST_TEST(!tokenizer->closes_texts());
  // The file has add_bos_token, the vectors have none.
  for (const Vector& v : vectors) {
    Ids expected{1};
    expected.insert(expected.end(), v.ids.begin(), v.ids.end());
    const Ids got = tokenizer->encode(v.text);
    BOOST_TEST(got == expected,
               "text '" << v.text << "': expected " << list(expected) << "got " << list(got));
  }
  const TemporaryFolder folder;
  std::string bytes = read_file(*file);
  const std::string_view key = "tokenizer.ggml.add_bos_token";
  bytes.at(bytes.find(key) + key.size() + 4) = 0;
  check_vectors(*open_tokenizer(folder.write("model.gguf", bytes)), vectors);
  // The files of a model that is written from it say the same.
  const TemporaryFolder written;
  write_tokenizer(folder / "model.gguf", written.path());
  check_vectors(*open_tokenizer(written.path()), vectors);
  write_tokenizer(*file, written.path());
  BOOST_TEST(open_tokenizer(written.path())->encode("Hello").front() == 1);
}

BOOST_AUTO_TEST_CASE(a_folder_gives_the_tokens_of_the_same_vocabulary_in_gguf) {
  const auto path = llama_file();
  if (!path) return;
  const GgufFile file = GgufFile::open(*path);
  const auto tokens = file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto scores = file.need<std::vector<double>>("tokenizer.ggml.scores");
  const auto types = file.need<Ids>("tokenizer.ggml.token_type");
  SentencePieceParts parts;
  for (size_t id = 0; id < tokens.size(); ++id)
    parts.pieces.push_back({tokens[id], float(scores[id]), PieceType(types[id])});
  const auto by_gguf = open_tokenizer(*path);
  const PieceFolder folder(write_sentencepiece_model(parts) + space_prefix_setting(true));
  const auto by_folder = folder.open();
  std::mt19937_64 random(6);
  for (int i = 0; i < 300; ++i) {
    std::string text = random_text(random, random() % 200);
    if (i % 3 == 0) text += "</s>" + random_text(random, random() % 20) + "<s>";
    const Ids ids = by_gguf->encode(text);
    BOOST_TEST(by_folder->encode(text) == ids, "seed 6, text " << i);
    if (text.find(mark) != text.npos || text.find("<unk>") != text.npos) continue;
    BOOST_TEST(by_gguf->decode(ids) == "<s>" + text, "seed 6, text " << i);
  }
}

BOOST_AUTO_TEST_CASE(settings_of_gguf_are_honoured) {
  GgufBuilder file = small_gguf();
  BOOST_TEST(ids_by(file, "ab") == (Ids{1, space_ab}));  // llama adds BOS unless told otherwise
  file.set("tokenizer.ggml.add_bos_token", false);
  BOOST_TEST(ids_by(file, "ab") == (Ids{space_ab}));
  file.set("tokenizer.ggml.add_eos_token", true);
  BOOST_TEST(ids_by(file, "ab") == (Ids{space_ab, 2}));
  BOOST_TEST(ids_by(file, " ab  b") == (Ids{space, space_ab, space, space, b, 2}));
  file.set("tokenizer.ggml.add_space_prefix", false);
  BOOST_TEST(ids_by(file, "ab") == (Ids{ab, 2}));
  file.set("tokenizer.ggml.remove_extra_whitespaces", true);
  BOOST_TEST(ids_by(file, " ab  b") == (Ids{ab, space, b, 2}));
  BOOST_TEST(ids_by(file, "") == (Ids{2}));
}

BOOST_AUTO_TEST_CASE(control_tokens_part_the_text) {
  const auto tokenizer = PieceFolder(small_model()).open();
  BOOST_TEST(tokenizer->encode("ab</s>ab<tool>a") == (Ids{1, space_ab, 2, space_ab, tool, a}));
  BOOST_TEST(tokenizer->encode("") == (Ids{1}));
  BOOST_TEST(tokenizer->encode("<0x61>").size() > 2u);  // a byte's name is text like any other
  BOOST_TEST(tokenizer->decode(Ids{1, space_ab, 2, space, a}) == "<s>ab</s>a");
  BOOST_TEST(tokenizer->encode("é") == (Ids{1, space, 3 + 0xC3, 3 + 0xA9}));
  BOOST_TEST(tokenizer->decode(Ids{space, 3 + 0xC3, 3 + 0xA9}) == "é");
  BOOST_TEST(tokenizer->decode(Ids{space, a, 3 + 0xC3}) == "a\uFFFD");  // cut
  for (const int64_t id : {int64_t(-1), tokenizer->size(), INT64_MAX, INT64_MIN})
    BOOST_CHECK_THROW(tokenizer->decode(Ids{id}), InputError);
  check_refusal(refusal([&] { tokenizer->encode("é\xFF"); }), "not UTF-8 at byte 2");
}

BOOST_AUTO_TEST_CASE(settings_of_a_folder_are_honoured) {
  const auto ids = [](const json& settings, std::string_view text) {
    return PieceFolder(small_model(), settings).open()->encode(text);
  };
  BOOST_TEST(ids(json::object(), "ab") == (Ids{1, space_ab}));
  BOOST_TEST(ids({{"add_bos_token", false}, {"add_eos_token", true}}, "ab") == (Ids{space_ab, 2}));
  BOOST_TEST(ids({{"add_prefix_space", false}}, "ab") == (Ids{1, ab}));
  BOOST_TEST(ids({{"bos_token", nullptr}}, "ab") == (Ids{space_ab}));
  const json added = {{"1", {{"content", "<s>"}}},
                      {"265", {{"content", "<|im|>"}, {"lstrip", false}}},
                      {"266", {{"content", "<|im|>>"}}}};
  const PieceFolder folder(
      small_model(), {{"added_tokens_decoder", added}, {"eos_token", {{"content", "<|im|>"}}}});
  const auto tokenizer = folder.open();
  BOOST_TEST(tokenizer->size() == 267);
  BOOST_TEST(*tokenizer->eos() == 265);
  BOOST_TEST(tokenizer->encode("ab<|im|>a<|im|>>") == (Ids{1, space_ab, 265, space, a, 266}));
  BOOST_TEST(tokenizer->decode(Ids{space_ab, 265, space, a, 266}) == "ab<|im|>a<|im|>>");

  const TemporaryFolder bare;
  bare.write("tokenizer.model", small_model());
  bare.write("config.json", R"({"eos_token_id": [263, 2]})");
  BOOST_TEST(*open_tokenizer(bare.path())->eos() == 263);
  BOOST_TEST(open_tokenizer(bare.path())->encode("ab") == (Ids{1, space_ab}));
}

BOOST_AUTO_TEST_CASE(settings_that_do_not_fit_are_named) {
  const struct {
    json settings;
    const char* says;
  } cases[] = {
      {{{"bos_token", "<x>"}}, "bos_token is '<x>', which is no token"},
      {{{"bos_token", nullptr}, {"add_bos_token", true}}, "add_bos_token is true, and"},
      {{{"add_bos_token", "yes"}}, "add_bos_token is neither"},
      {{{"added_tokens_decoder", {{"267", {{"content", "x"}}}}}}, "leaves a gap below the id 267"},
      {{{"added_tokens_decoder", {{"x", {{"content", "x"}}}}}}, "expected a token id"},
      {{{"added_tokens_decoder", {{"2", {{"content", "x"}}}}}}, "the model has '</s>'"},
      {{{"added_tokens_decoder", {{"265", {{"content", "ab"}}}}}}, "a token already"},
      {{{"added_tokens_decoder", {{"265", {{"content", "x"}, {"rstrip", true}}}}}}, "rstrip"},
  };
  for (const auto& [settings, says] : cases) {
    const std::string message = PieceFolder(small_model(), settings).refused();
    check_refusal(message, says);
    check_refusal(message, "tokenizer_config.json: ");
  }
}

BOOST_AUTO_TEST_CASE(models_that_the_library_has_trained_are_encoded_as_by_itself) {
  for (const char* type : {"unigram", "bpe", "char", "word"}) {
    const std::string proto = trained_model(type);
    sentencepiece::SentencePieceProcessor library;
    BOOST_REQUIRE(library.LoadFromSerializedProto(proto).ok());
    const auto tokenizer = PieceFolder(proto, {{"add_bos_token", false}}).open();
    for (const char* text : {"the cat  sat", " on AB mats", "ＡＢ", "xyz"}) {
      std::vector<int> expected;
      BOOST_REQUIRE(library.Encode(text, &expected).ok());
      BOOST_TEST(tokenizer->encode(text) == Ids(expected.begin(), expected.end()), type);
    }
    BOOST_TEST(tokenizer->encode("ＡＢ") == tokenizer->encode("AB"));  // the table is in use
  }
}

BOOST_AUTO_TEST_CASE(damaged_models_are_named) {
  const auto changed = [](const std::function<void(SentencePieceParts&)>& change) {
    SentencePieceParts parts = small_parts();
    change(parts);
    return write_sentencepiece_model(parts);
  };
  using Parts = SentencePieceParts;
  const struct {
    std::string model;
    const char* says;
  } cases[] = {
      {"", "it has no pieces"},
      {R"({"a": 1})", "is no SentencePiece model"},
      {small_model().substr(0, small_model().size() - 1), "ends within a field"},
      {"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "longer than 64 bits"},
      {"\x0B", "unknown kind 3"},
      {changed([](Parts& p) { p.pieces[5].text = "\xFF"; }), "piece 5 is not UTF-8"},
      {changed([](Parts& p) { p.pieces[5].score = NAN; }), "piece 5 has a score"},
      {changed([](Parts& p) { p.pieces[5].type = PieceType(9); }),
       "piece 5 has the unknown type 9"},
      {changed([](Parts& p) { p.pieces[260].text = "b"; }), "b is already defined"},
      {changed([](Parts& p) { p.pieces[260].text = ""; }), "piece must not be empty"},
      {changed([](Parts& p) { p.pieces[0].type = PieceType::normal; }), "unk is not defined"},
      {changed([](Parts& p) { p.pieces[9].type = PieceType::normal; }), "256 byte pieces"},
      // 256 units, of which the first leads beyond them.
      {changed([](Parts& p) {
         p.normalizer = std::string("\0\4\0\0\0\0\0\x80", 8) + std::string(1021, '\0');
       }),
       "table of its normalizer is damaged"},
      {changed([](Parts& p) { p.normalizer = "xyz"; }), "table of its normalizer is damaged"},
  };
  for (const auto& [model, says] : cases) {
    std::string message;
    const PieceFolder folder(model);
    BOOST_TEST(said([&] { message = folder.refused(); }) == "");
    check_refusal(message, says);
    check_refusal(message, folder / "tokenizer.model");
  }
  BOOST_TEST(said([] { std::fputs("x", stderr); }) == "x");  // the control

  GgufBuilder file = small_gguf();
  file.set("tokenizer.ggml.scores", GgufKind::f32, std::vector<float>{1});
  check_refusal(refusal([&] { ids_by(file, ""); }), "265 tokens and 1 scores");
  file = small_gguf();
  file.set("tokenizer.ggml.bos_token_id", uint32_t(265));
  check_refusal(refusal([&] { ids_by(file, ""); }), "token id 265 is out of the vocabulary");
  file.remove("tokenizer.ggml.bos_token_id");
  check_refusal(refusal([&] { ids_by(file, ""); }),
                "has no metadata 'tokenizer.ggml.bos_token_id'");
}

// The normalizer's table is followed by the library without looking where it leads.
BOOST_AUTO_TEST_CASE(a_model_with_any_byte_changed_is_read_or_refused) {
  const std::string text = "the ＡＢ cat é \u3000x";
  for (const std::string& whole : {small_model(), trained_model("unigram")}) {
    size_t read = 0, refused = 0;
    std::mt19937 random(7);
    const auto try_model = [&](const std::string& model) {
      std::string message;
      const std::string noise = said([&] {
        message = refusal([&] {
          const auto tokenizer = PieceFolder(model).open();
          tokenizer->decode(tokenizer->encode(text));
        });
      });
      BOOST_TEST(noise == "");
      ++(message.empty() ? read : refused);
    };
    for (int i = 0; i < 300; ++i) {
      std::string model = whole;
      for (size_t n = 1 + random() % 3; n > 0; --n) model[random() % model.size()] = char(random());
      try_model(model);
    }
    for (int i = 0; i < 50; ++i) try_model(whole.substr(0, random() % whole.size()));
    BOOST_TEST(read > 0u);
    BOOST_TEST(refused > 50u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
