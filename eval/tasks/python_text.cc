#include "eval/tasks/python_text.h"

#include <clocale>
#include <cwctype>

namespace mxref {
namespace {

bool continues(char c) { return (uint8_t(c) & 0xC0) == 0x80; }

// The code point that starts at byte i, i moved behind it.
uint32_t next_code_point(std::string_view text, size_t& i) {
  const uint8_t lead = uint8_t(text[i++]);
  uint32_t value = lead < 0x80   ? lead
                   : lead < 0xE0 ? lead & 0x1F
                   : lead < 0xF0 ? lead & 0xF
                                 : lead & 7;
  while (i < text.size() && continues(text[i])) value = value << 6 | (uint8_t(text[i++]) & 0x3F);
  return value;
}

void append(std::string& text, uint32_t c) {
  if (c < 0x80) {
    text += char(c);
    return;
  }
  const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  text += char((0xFF << (7 - tail) & 0xFF) | c >> (6 * tail));
  for (int i = tail - 1; i >= 0; --i) text += char(0x80 | (c >> (6 * i) & 0x3F));
}

// str.isspace(): bidirectional class WS, B or S, or category Zs.
bool is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

}  // namespace

int64_t python_length(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += !continues(c);
  return count;
}

size_t python_stripped_end(std::string_view text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size();)
    if (!is_space(next_code_point(text, i))) end = i;
  return end;
}

std::string python_strip(std::string_view text) {
  text = text.substr(0, python_stripped_end(text));
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    if (!is_space(next_code_point(text, i))) return std::string(text.substr(begin));
  }
  return "";
}

// One code point at a time, so without the few letters that become two (ß) or look at their
// neighbours (Σ).
std::string python_capitalize(const std::string& text) {
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  std::string result;
  for (size_t i = 0; i < text.size();) {
    const bool first = i == 0;
    const wint_t c = wint_t(next_code_point(text, i));
    append(result, uint32_t(first ? towupper_l(c, unicode) : towlower_l(c, unicode)));
  }
  return result;
}

}  // namespace mxref
