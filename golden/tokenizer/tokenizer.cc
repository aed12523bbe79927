#include "golden/tokenizer/tokenizer.h"

#include "emu/error.h"
#include "golden/checkpoint/gguf.h"
#include "golden/tokenizer/byte_pair_tokenizer.h"
#include "golden/tokenizer/sentencepiece_tokenizer.h"
#include "golden/tokenizer/tokenizer_json.h"

namespace mxref {
namespace {

std::vector<int64_t> token_types(const GgufFile& file, size_t tokens) {
  auto types = file.get<std::vector<int64_t>>("tokenizer.ggml.token_type")
                   .value_or(std::vector<int64_t>(tokens, int64_t(PieceType::normal)));
  if (types.size() != tokens)
    file.refuse("has " + std::to_string(tokens) + " tokens and " + std::to_string(types.size()) +
                " token types");
  return types;
}

// Ids of the ends, and those that are added to every text; `adds_bos`: where nothing is said.
template <typename Ends>
void read_ends(const GgufFile& file, bool adds_bos, Ends& ends) {
  const auto id = [&](const char* key) -> std::optional<int64_t> {
    const auto value = file.get<uint64_t>(key);
    return value ? std::optional(int64_t(*value)) : std::nullopt;
  };
  constexpr auto bos = "tokenizer.ggml.bos_token_id", eos = "tokenizer.ggml.eos_token_id";
  ends.bos = id(bos);
  ends.eos = id(eos);
  if (file.get<bool>("tokenizer.ggml.add_bos_token").value_or(adds_bos))
    ends.first = int64_t(file.need<uint64_t>(bos));
  if (file.get<bool>("tokenizer.ggml.add_eos_token").value_or(false))
    ends.last = int64_t(file.need<uint64_t>(eos));
}

std::unique_ptr<Tokenizer> byte_pairs(const GgufFile& file) {
  if (file.get<bool>("tokenizer.ggml.add_space_prefix").value_or(false))
    file.refuse("metadata 'tokenizer.ggml.add_space_prefix' is not supported");
  Vocabulary vocabulary;
  vocabulary.tokens = file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  vocabulary.merges = file.need<std::vector<std::string_view>>("tokenizer.ggml.merges");
  vocabulary.pre_tokenizer = file.need<std::string_view>("tokenizer.ggml.pre");
  for (const int64_t number : token_types(file, vocabulary.tokens.size())) {
    const auto type = PieceType(number);
    vocabulary.matched.push_back(type == PieceType::control || type == PieceType::user_defined);
    vocabulary.literal.push_back(type != PieceType::normal && type != PieceType::byte);
  }
  const GgufHabits habits = gguf_habits(vocabulary.pre_tokenizer);
  vocabulary.takes_whole_pieces = habits.takes_whole_pieces;
  read_ends(file, habits.adds_bos, vocabulary);
  return std::make_unique<BytePairTokenizer>(vocabulary, file.path().string());
}

std::unique_ptr<Tokenizer> sentence_pieces(const GgufFile& file) {
  const std::string proto = sentencepiece_model(file), where = file.path().string();
  SentencePieceSettings settings;
  read_ends(file, /*adds_bos=*/true, settings);
  return std::make_unique<SentencePieceTokenizer>(read_sentencepiece_model(proto, where), settings,
                                                  where);
}

std::unique_ptr<Tokenizer> from_gguf(const GgufFile& file) {
  const auto model = file.need<std::string_view>("tokenizer.ggml.model");
  if (model == "gpt2") return byte_pairs(file);
  if (model == "llama") return sentence_pieces(file);
  file.refuse("has the tokenizer '" + std::string(model) +
              "'; expected 'gpt2' (byte-level byte pairs) or 'llama' (SentencePiece)");
}

}  // namespace

std::string sentencepiece_model(const GgufFile& file) {
  const auto tokens = file.need<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto scores = file.need<std::vector<double>>("tokenizer.ggml.scores");
  const auto types = token_types(file, tokens.size());
  if (scores.size() != tokens.size())
    file.refuse("has " + std::to_string(tokens.size()) + " tokens and " +
                std::to_string(scores.size()) + " scores");
  SentencePieceParts parts;
  for (size_t id = 0; id < tokens.size(); ++id)
    parts.pieces.push_back({tokens[id], float(scores[id]), PieceType(types[id])});
  for (const int64_t byte : file.get<std::vector<int64_t>>("tokenizer.ggml.precompiled_charsmap")
                                .value_or(std::vector<int64_t>{}))
    parts.normalizer += char(byte);
  parts.removes_extra_spaces =
      file.get<bool>("tokenizer.ggml.remove_extra_whitespaces").value_or(false);
  return write_sentencepiece_model(parts) +
         space_prefix_setting(file.get<bool>("tokenizer.ggml.add_space_prefix").value_or(true));
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path) {
  std::error_code error;
  // Where a folder has both, tokenizer.json says once more what the model says.
  if (std::filesystem::exists(path / "tokenizer.model", error))
    return open_sentencepiece_folder(path);
  if (std::filesystem::is_directory(path, error)) return open_tokenizer_json(path);
  return from_gguf(GgufFile::open(path));
}

}  // namespace mxref
