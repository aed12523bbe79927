#include "golden/tokenizer/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <string>

#include "emu/error.h"

namespace mxref {
namespace {

// Patterns of PCRE2. White space is the Unicode property, not \s, which takes U+180E with it.
// Contractions are spelled in both cases: (?i) would match 'ſ (U+017F) too.
constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{WSpace}\p{L}\p{N}]+)"
    R"(|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";
constexpr std::string_view qwen2_pattern =
    R"('[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
    R"(| ?[^\p{WSpace}\p{L}\p{N}]+[\r\n]*|\p{WSpace}*[\r\n]+)"
    R"(|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";
// As the tokenizer.json of Qwen2 writes it.
constexpr std::string_view qwen2_split =
    R"(Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
// As qwen2, with numbers of up to three digits.
constexpr std::string_view llama3_pattern =
    R"('[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\p{WSpace}\p{L}\p{N}]+[\r\n]*|\p{WSpace}*[\r\n]+)"
    R"(|\p{WSpace}+(?!\P{WSpace})|\p{WSpace}+)";
constexpr std::string_view llama3_split =
    R"(Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view one_digit_pattern = R"(\p{N})";

// Each pattern cuts the pieces that the one before has left: a match is a piece, and so is what
// lies between two matches. A pattern sees nothing beyond its piece.
struct PreTokenizerRow {
  std::string_view name;
  std::array<std::string_view, 2> patterns;  // "": no second one
  std::array<std::string_view, 2> steps;     // in tokenizer.json, likewise
  GgufHabits habits = {};
};
constexpr std::array rows{
    PreTokenizerRow{"gpt-2", {gpt2_pattern}, {"ByteLevel"}},
    PreTokenizerRow{"llama-bpe",  // Llama 3
                    {llama3_pattern},
                    {llama3_split, "bytes"},
                    {.takes_whole_pieces = true, .adds_bos = true}},
    PreTokenizerRow{"qwen2", {qwen2_pattern}, {qwen2_split, "bytes"}},
    PreTokenizerRow{"smollm", {one_digit_pattern, gpt2_pattern}, {"Digits", "ByteLevel"}},
    PreTokenizerRow{"starcoder", {one_digit_pattern, gpt2_pattern}, {"Digits", "ByteLevel"}},
};
static_assert(names_are_distinct(rows));

std::shared_ptr<const void> compile(std::string_view pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code)
    throw std::logic_error("pattern " + std::string(pattern) + " is wrong at " +
                           std::to_string(offset));
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, it is interpreted
  return {code, pcre2_code_free};
}

// One pattern with room for its match.
class Matcher {
 public:
  explicit Matcher(const void* code)
      : code_(static_cast<const pcre2_code*>(code)),
        match_(pcre2_match_data_create_from_pattern(code_, nullptr), pcre2_match_data_free) {}

  // Appends the pieces of `text`.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const {
    const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    size_t at = 0;
    while (at < text.size()) {
      const int found =
          pcre2_match(code_, subject, text.size(), at, PCRE2_NO_UTF_CHECK, match_.get(), nullptr);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0)
        throw InputError("text cannot be split at byte " + std::to_string(at) + ": PCRE2 error " +
                         std::to_string(found));
      const PCRE2_SIZE* range = pcre2_get_ovector_pointer(match_.get());
      if (range[0] > at) pieces.push_back(text.substr(at, range[0] - at));
      pieces.push_back(text.substr(range[0], range[1] - range[0]));
      at = range[1];  // no pattern matches the empty text
    }
    if (at < text.size()) pieces.push_back(text.substr(at));
  }

 private:
  const pcre2_code* code_;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match_;
};

}  // namespace

PreTokenizer::PreTokenizer(std::string_view name) {
  for (std::string_view pattern : find_by_name(rows, "pre-tokenizer", name).patterns)
    if (!pattern.empty()) patterns_.push_back(compile(pattern));
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  std::vector<std::string_view> pieces{text};
  for (const auto& pattern : patterns_) {
    const Matcher matcher(pattern.get());
    std::vector<std::string_view> finer;
    for (std::string_view piece : pieces) matcher.split(piece, finer);
    pieces = std::move(finer);
  }
  return pieces;
}

GgufHabits gguf_habits(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &PreTokenizerRow::name);
  return row != rows.end() ? row->habits : GgufHabits{};
}

std::vector<std::string_view> pre_tokenizer_names() {
  std::vector<std::string_view> names;
  for (const PreTokenizerRow& row : rows) names.push_back(row.name);
  return names;
}

std::string_view pre_tokenizer_of_steps(const std::vector<std::string>& steps) {
  std::array<std::string_view, 2> given{};
  if (steps.size() > given.size()) return "";
  std::copy(steps.begin(), steps.end(), given.begin());
  for (const PreTokenizerRow& row : rows)
    if (row.steps == given) return row.name;
  return "";
}

std::vector<std::string_view> pre_tokenizer_steps(std::string_view name) {
  std::vector<std::string_view> steps;
  for (std::string_view step : find_by_name(rows, "pre-tokenizer", name).steps)
    if (!step.empty()) steps.push_back(step);
  return steps;
}

}  // namespace mxref
