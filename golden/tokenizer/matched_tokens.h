#pragma once
// Tokens that are matched whole in the text before anything else: control tokens, tokens that were
// added to a vocabulary.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

class MatchedTokens {
 public:
  void add(std::string_view text, int64_t id);  // an empty text is never matched

  // Cuts a text: the longest token that begins at a place is taken, from left to right. What lies
  // between two tokens is plain, and not empty.
  void split(std::string_view text, const std::function<void(std::string_view)>& on_plain,
             const std::function<void(int64_t)>& on_token) const;

 private:
  struct Token {
    std::string text;
    int64_t id;
  };
  const Token* at_front_of(std::string_view text) const;  // nullptr: none begins here

  std::array<std::vector<Token>, 256> tokens_;  // by first byte, the longest first
};

}  // namespace mxref
