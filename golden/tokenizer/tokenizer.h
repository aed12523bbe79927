#pragma once
// Text ↔ token ids.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

class GgufFile;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  // Ids of a UTF-8 text: control tokens that stand in the text are matched first; a token in front
  // (BOS) only where the tokenizer's own settings add one. Bytes that the
  // vocabulary lacks are left out. Throws InputError where the text is not UTF-8.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;
  // Throws InputError where an id is out of the vocabulary. The end of `ids` may cut a character.
  virtual std::string decode(std::span<const int64_t> ids) const = 0;
  virtual int64_t size() const = 0;
  // Whether encode puts a token (EOS) behind every text, so that a longer text does not go on where
  // the ids of a shorter one end.
  virtual bool closes_texts() const { return false; }
  virtual std::optional<int64_t> bos()
      const = 0;  // beginning of text, whether encode adds it or not
  virtual std::optional<int64_t> eos() const = 0;  // end of text or of turn: generation stops there
};

// The tokenizer of a GGUF file or of a Hugging Face folder: byte-level byte pairs (tokenizer.json)
// or SentencePiece (tokenizer.model). Throws InputError; another kind and a pre-tokenizer that is
// not known are refused by name.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path);

// tokenizer.model of the SentencePiece pieces in a GGUF file. Throws InputError.
std::string sentencepiece_model(const GgufFile& file);

}  // namespace mxref
