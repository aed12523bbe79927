#pragma once
// How a text is cut into the pieces inside which byte pairs are merged: one row a rule.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

class PreTokenizer {
 public:
  // The rule that GGUF calls `name`. Throws UsageError with the valid names.
  explicit PreTokenizer(std::string_view name);

  // The pieces of a UTF-8 text, in its order; together they are the text.
  std::vector<std::string_view> split(std::string_view text) const;

 private:
  std::vector<std::shared_ptr<const void>> patterns_;  // compiled
};

// What a GGUF file leaves unsaid, as its rule implies it.
struct GgufHabits {
  bool takes_whole_pieces = false;  // a piece that is a token is not merged from its bytes
  bool adds_bos = false;            // where add_bos_token is absent
};
GgufHabits gguf_habits(std::string_view name);  // of an unknown rule: none

std::vector<std::string_view> pre_tokenizer_names();
// The name of the rule that tokenizer.json spells in these steps: "ByteLevel" (with its own
// pattern), "bytes" (without), "Digits" (one by one), "Split PATTERN" (isolated); "" where none
// does.
std::string_view pre_tokenizer_of_steps(const std::vector<std::string>& steps);
// The steps of a rule. Throws UsageError with the valid names.
std::vector<std::string_view> pre_tokenizer_steps(std::string_view name);

}  // namespace mxref
