#pragma once
// SentencePiece, by its own library.

#include <memory>
#include <string>
#include <unordered_map>

#include "golden/tokenizer/matched_tokens.h"
#include "golden/tokenizer/sentencepiece_model.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

class SentencePieceLibrary;

// What stands beside the model.
struct SentencePieceSettings {
  std::optional<int64_t> first, last;  // added in front of, behind every text
  std::optional<int64_t> bos, eos;
  std::vector<std::string> added;  // tokens behind the pieces, matched whole in the text first
};

// Control pieces and added tokens are matched in the text first.
// CHOICE: what lies between them is encoded as if it were a text of its own, so that a model that
// puts a space in front of a text puts one there too (as llama.cpp and the tokenizer.json of Llama
// 2 do); user-defined pieces are the library's, and get none. A character that the model knows
// neither whole nor as bytes is the unknown piece. decode() gives the texts of control pieces, and
// U+FFFD for bytes that make no character.
class SentencePieceTokenizer : public Tokenizer {
 public:
  // Throws InputError that begins with `where` for a model that the library does not take, and an
  // id out of range.
  SentencePieceTokenizer(const SentencePieceModel& model, const SentencePieceSettings& settings,
                         const std::string& where);
  ~SentencePieceTokenizer() override;

  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  int64_t size() const override { return size_; }
  bool closes_texts() const override { return last_.has_value(); }
  std::optional<int64_t> bos() const override { return bos_; }
  std::optional<int64_t> eos() const override { return eos_; }

 private:
  std::unique_ptr<const SentencePieceLibrary> library_;
  int64_t size_;
  std::optional<int64_t> first_, last_, bos_, eos_;
  MatchedTokens matched_;
  std::unordered_map<int64_t, std::string> matched_texts_;
};

// tokenizer.model of a Hugging Face folder, with what tokenizer_config.json says: the tokens of
// both ends, add_bos_token (true where nothing is said, as for Llama), add_eos_token,
// add_prefix_space, and added_tokens_decoder. Throws InputError.
std::unique_ptr<Tokenizer> open_sentencepiece_folder(const std::filesystem::path& folder);

}  // namespace mxref
