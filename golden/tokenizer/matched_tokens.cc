#include "golden/tokenizer/matched_tokens.h"

#include <algorithm>

namespace mxref {

void MatchedTokens::add(std::string_view text, int64_t id) {
  if (text.empty()) return;
  std::vector<Token>& tokens = tokens_[uint8_t(text[0])];
  const auto shorter = std::ranges::find_if(
      tokens, [&](const Token& token) { return token.text.size() < text.size(); });
  tokens.insert(shorter, {std::string(text), id});
}

const MatchedTokens::Token* MatchedTokens::at_front_of(std::string_view text) const {
  for (const Token& token : tokens_[uint8_t(text[0])])
    if (text.starts_with(token.text)) return &token;
  return nullptr;
}

void MatchedTokens::split(std::string_view text,
                          const std::function<void(std::string_view)>& on_plain,
                          const std::function<void(int64_t)>& on_token) const {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Token* token = at_front_of(text.substr(at));
    if (!token) {
      ++at;
      continue;
    }
    if (at > begin) on_plain(text.substr(begin, at - begin));
    on_token(token->id);
    begin = at += token->text.size();
  }
  if (begin < text.size()) on_plain(text.substr(begin));
}

}  // namespace mxref
