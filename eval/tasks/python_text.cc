#include "eval/tasks/python_text.h"

#include <algorithm>
#include <clocale>
#include <cwctype>

#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

// str.isspace(): bidirectional class WS, B or S, or category Zs.
bool is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

// The character at the front of a text that is not empty; a byte that is none counts as one.
CodePoint front_of(std::string_view text) {
  const CodePoint c = front_code_point(text);
  return c.bytes > 0 ? c : CodePoint{0xFFFD, 1};
}

}  // namespace

int64_t python_length(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; });
}

size_t python_stripped_end(std::string_view text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = front_of(text.substr(i));
    i += c.bytes;
    if (!is_space(c.value)) end = i;
  }
  return end;
}

std::string python_strip(std::string_view text) {
  text = text.substr(0, python_stripped_end(text));
  while (!text.empty()) {
    const CodePoint c = front_of(text);
    if (!is_space(c.value)) break;
    text.remove_prefix(c.bytes);
  }
  return std::string(text);
}

// One code point at a time, so without the few letters that become two (ß) or look at their
// neighbours (Σ).
std::string python_capitalize(const std::string& text) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint c = front_of(rest);
    rest.remove_prefix(c.bytes);
    append_utf8(result, uint32_t(result.empty() ? towupper_l(wint_t(c.value), unicode)
                                                : towlower_l(wint_t(c.value), unicode)));
  }
  return result;
}

}  // namespace mxref
