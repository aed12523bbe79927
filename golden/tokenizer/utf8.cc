#include "golden/tokenizer/utf8.h"

#include <utf8proc.h>

#include <bit>
#include <cstdlib>
#include <memory>
#include <new>

namespace mxref {

CodePoint front_code_point(std::string_view text) {
  const auto byte = [&](size_t i) { return uint32_t(uint8_t(text[i])); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const auto length = size_t(std::countl_one(uint8_t(byte(0))));
  if (length < 2 || length > 4 || length > text.size()) return {0, 0};
  uint32_t value = byte(0) & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 0b10) return {0, 0};
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value < 0xE000;
  if (value < least[length] || value > 0x10FFFF || surrogate) return {0, 0};
  return {value, length};
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    if (uint8_t(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const size_t bytes = front_code_point(text.substr(at)).bytes;
    if (bytes == 0) return at;
    at += bytes;
  }
  return std::string_view::npos;
}

std::string compose_utf8(std::string_view text) {
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             utf8proc_ssize_t(text.size()), &composed,
                                             utf8proc_option_t(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, std::free);
  if (size < 0) throw std::bad_alloc();  // the text is UTF-8: memory is all that can fail
  return {reinterpret_cast<const char*>(composed), size_t(size)};
}

void append_utf8(std::string& text, uint32_t code_point) {
  if (code_point < 0x80) {
    text += char(code_point);
    return;
  }
  const int tail = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
  text += char(0xFF00 >> (tail + 1) | code_point >> 6 * tail);
  for (int i = tail - 1; i >= 0; --i) text += char(0x80 | (code_point >> 6 * i & 0x3F));
}

}  // namespace mxref
