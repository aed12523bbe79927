#pragma once
// Byte-level byte-pair encoding, from a vocabulary and ranked merges.

#include <array>
#include <string>
#include <unordered_map>

#include "golden/tokenizer/matched_tokens.h"
#include "golden/tokenizer/pre_tokenizer.h"
#include "golden/tokenizer/tokenizer.h"

namespace mxref {

// A vocabulary as files state it. Texts are in the byte alphabet (byte_alphabet.h), but for tokens
// that stand for themselves.
struct Vocabulary {
  std::vector<std::string_view> tokens;
  std::vector<bool> matched;             // whole in the text first: control, user-defined
  std::vector<bool> literal;             // stand for themselves; matched ones do
  std::vector<std::string_view> merges;  // "left right", the most eager first
  std::string_view pre_tokenizer;
  bool composes_text = false;          // to NFC, between the tokens that are matched
  bool takes_whole_pieces = false;     // a piece that is a token is that token, whatever the merges
  std::optional<int64_t> first, last;  // added in front of, behind every text
  std::optional<int64_t> bos, eos;
};

class BytePairTokenizer : public Tokenizer {
 public:
  // Throws InputError that begins with `where` for a token that comes twice or is not UTF-8, a
  // merge of or into what is no token, an id out of range, a pre-tokenizer that is not known.
  BytePairTokenizer(const Vocabulary& vocabulary, const std::string& where);

  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  int64_t size() const override { return int64_t(texts_.size()); }
  bool closes_texts() const override { return last_.has_value(); }
  std::optional<int64_t> bos() const override { return bos_; }
  std::optional<int64_t> eos() const override { return eos_; }

 private:
  struct Merge {
    uint32_t rank;
    int32_t token;
  };
  class Pieces;

  const Merge* find_merge(int32_t left, int32_t right) const;
  void merge_pairs(std::string_view piece, std::vector<int64_t>& ids) const;

  PreTokenizer pre_tokenizer_;
  bool composes_text_;
  std::vector<std::string> texts_;              // what each token decodes to
  std::array<int32_t, 256> byte_tokens_;        // -1: the vocabulary has no such byte
  std::unordered_map<uint64_t, Merge> merges_;  // by left << 32 | right
  std::unordered_map<std::string, int64_t> whole_pieces_;
  MatchedTokens matched_tokens_;
  std::optional<int64_t> first_, last_, bos_, eos_;
};

}  // namespace mxref
