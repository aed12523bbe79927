#include "golden/tokenizer/byte_pair_tokenizer.h"

#include <algorithm>
#include <deque>
#include <queue>

#include "emu/error.h"
#include "golden/tokenizer/byte_alphabet.h"
#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

uint64_t pair_key(int32_t left, int32_t right) { return uint64_t(left) << 32 | uint32_t(right); }

PreTokenizer find_pre_tokenizer(std::string_view name, const std::string& where) {
  try {
    return PreTokenizer(name);
  } catch (const UsageError& e) {
    throw InputError(where + ": " + e.what());
  }
}

}  // namespace

BytePairTokenizer::BytePairTokenizer(const Vocabulary& vocabulary, const std::string& where)
    : pre_tokenizer_(find_pre_tokenizer(vocabulary.pre_tokenizer, where)),
      composes_text_(vocabulary.composes_text),
      first_(vocabulary.first),
      last_(vocabulary.last),
      bos_(vocabulary.bos),
      eos_(vocabulary.eos) {
  const auto& tokens = vocabulary.tokens;
  std::unordered_map<std::string_view, int32_t> ids;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const std::string name = where + ": token " + std::to_string(id);
    if (find_invalid_utf8(tokens[id]) != std::string_view::npos)
      throw InputError(name + " is not UTF-8");
    if (!ids.emplace(tokens[id], int32_t(id)).second)
      throw InputError(name + " is token " + std::to_string(ids[tokens[id]]) + " once more");
    const bool literal = vocabulary.literal[id] || vocabulary.matched[id];
    const auto bytes = literal ? std::nullopt : bytes_of_letters(tokens[id]);
    texts_.push_back(bytes.value_or(std::string(tokens[id])));
    if (vocabulary.takes_whole_pieces && bytes) whole_pieces_.emplace(*bytes, int64_t(id));
    if (vocabulary.matched[id]) matched_tokens_.add(tokens[id], int64_t(id));
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto token = ids.find(letter_of_byte(uint8_t(byte)));
    byte_tokens_[byte] = token != ids.end() ? token->second : -1;
  }

  merges_.reserve(vocabulary.merges.size());
  for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const std::string_view merge = vocabulary.merges[rank];
    const size_t space = merge.find(' ');
    const auto left = ids.find(merge.substr(0, space));
    const auto right = space != merge.npos ? ids.find(merge.substr(space + 1)) : ids.end();
    if (left == ids.end() || right == ids.end())
      throw InputError(where + ": merge " + std::to_string(rank) + " is not of two tokens");
    const auto merged = ids.find(std::string(left->first) + std::string(right->first));
    if (merged == ids.end())
      throw InputError(where + ": merge " + std::to_string(rank) + " does not give a token");
    merges_.emplace(pair_key(left->second, right->second), Merge{uint32_t(rank), merged->second});
  }
  for (const auto& id : {first_, last_, bos_, eos_})
    if (id && (*id < 0 || *id >= size()))
      throw InputError(where + ": token id " + std::to_string(*id) +
                       " is out of the vocabulary of " + std::to_string(size()));
}

const BytePairTokenizer::Merge* BytePairTokenizer::find_merge(int32_t left, int32_t right) const {
  const auto merge = merges_.find(pair_key(left, right));
  return merge != merges_.end() ? &merge->second : nullptr;
}

// Merges the pair of least rank, the leftmost on a tie, until none is left: a heap of the pairs
// that may be merged, over a linked list of what has been. O(n log n).
// CHOICE: a byte that the vocabulary lacks (smollm2 has no 0x04, say) is left out, and its
// neighbours meet, as in the library that made these vocabularies.
void BytePairTokenizer::merge_pairs(std::string_view piece, std::vector<int64_t>& ids) const {
  struct Symbol {
    int32_t token;  // -1: has been merged into another
    int32_t previous, next;
  };
  struct Pair {
    uint32_t rank;
    int32_t left;
    int32_t left_token, right_token;  // an entry whose tokens have changed is out of date
    int32_t merged;
    bool operator>(const Pair& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  std::vector<Symbol> symbols;
  for (const char byte : piece)
    if (const int32_t token = byte_tokens_[uint8_t(byte)]; token >= 0) {
      const auto at = int32_t(symbols.size());
      symbols.push_back({token, at - 1, at + 1});
    }
  const auto end = int32_t(symbols.size());

  std::priority_queue<Pair, std::vector<Pair>, std::greater<>> pairs;
  const auto offer = [&](int32_t left) {
    if (left < 0 || symbols[size_t(left)].next >= end) return;
    const int32_t a = symbols[size_t(left)].token;
    const int32_t b = symbols[size_t(symbols[size_t(left)].next)].token;
    if (const Merge* merge = find_merge(a, b)) pairs.push({merge->rank, left, a, b, merge->token});
  };
  for (int32_t at = 0; at + 1 < end; ++at) offer(at);
  while (!pairs.empty()) {
    const Pair pair = pairs.top();
    pairs.pop();
    Symbol& left = symbols[size_t(pair.left)];
    if (left.token != pair.left_token || left.next >= end) continue;
    Symbol& right = symbols[size_t(left.next)];
    if (right.token != pair.right_token) continue;
    left.token = pair.merged;
    right.token = -1;
    left.next = right.next;
    if (left.next < end) symbols[size_t(left.next)].previous = pair.left;
    offer(left.previous);
    offer(pair.left);
  }
  for (const Symbol& symbol : symbols)
    if (symbol.token >= 0) ids.push_back(symbol.token);
}

// The ids of pieces; a piece that has come before is remembered.
class BytePairTokenizer::Pieces {
 public:
  explicit Pieces(const BytePairTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void append(std::string_view piece, std::vector<int64_t>& ids) {
    const auto [entry, is_first] = known_.try_emplace(piece);
    if (is_first) {
      entry->second.first = ids.size();
      const auto whole = tokenizer_.whole_pieces_.find(std::string(piece));
      if (whole != tokenizer_.whole_pieces_.end())
        ids.push_back(whole->second);
      else
        tokenizer_.merge_pairs(piece, ids);
      entry->second.second = ids.size();
      return;
    }
    const auto [begin, end] = entry->second;
    for (size_t i = begin; i < end; ++i) ids.push_back(ids[i]);
  }

 private:
  const BytePairTokenizer& tokenizer_;
  std::unordered_map<std::string_view, std::pair<size_t, size_t>> known_;  // a range of `ids`
};

std::vector<int64_t> BytePairTokenizer::encode(std::string_view text) const {
  if (const size_t bad = find_invalid_utf8(text); bad != text.npos)
    throw InputError("text is not UTF-8 at byte " + std::to_string(bad));
  std::vector<int64_t> ids;
  std::deque<std::string> composed;  // what the pieces lie in
  Pieces pieces(*this);
  if (first_) ids.push_back(*first_);
  matched_tokens_.split(
      text,
      [&](std::string_view plain) {
        if (composes_text_) plain = composed.emplace_back(compose_utf8(plain));
        for (std::string_view piece : pre_tokenizer_.split(plain)) pieces.append(piece, ids);
      },
      [&](int64_t token) { ids.push_back(token); });
  if (last_) ids.push_back(*last_);
  return ids;
}

std::string BytePairTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size())
      throw InputError("token id " + std::to_string(id) + " is out of the vocabulary of " +
                       std::to_string(size()));
    text += texts_[size_t(id)];
  }
  return text;
}

}  // namespace mxref
