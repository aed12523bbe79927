#include "golden/tokenizer/byte_alphabet.h"

#include <array>

#include "golden/tokenizer/utf8.h"

namespace mxref {
namespace {

// Printable characters of Latin-1 stand for themselves; the other bytes, in their order, are
// U+0100, U+0101, …
constexpr std::array<uint32_t, 256> letters = [] {
  std::array<uint32_t, 256> table{};
  uint32_t next = 0x100;
  for (uint32_t b = 0; b < 256; ++b) {
    const bool printable = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
    table[b] = printable ? b : next++;
  }
  return table;
}();

constexpr std::array<int, 0x100 + 68> bytes_by_letter = [] {
  std::array<int, 0x100 + 68> table{};
  table.fill(-1);
  for (size_t b = 0; b < 256; ++b) table[letters[b]] = int(b);
  return table;
}();

}  // namespace

std::string letter_of_byte(unsigned char byte) {
  std::string letter;
  append_utf8(letter, letters[byte]);
  return letter;
}

std::optional<std::string> bytes_of_letters(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const CodePoint letter = front_code_point(text);
    if (letter.bytes == 0 || letter.value >= bytes_by_letter.size() ||
        bytes_by_letter[letter.value] < 0)
      return std::nullopt;
    bytes += char(bytes_by_letter[letter.value]);
    text.remove_prefix(letter.bytes);
  }
  return bytes;
}

}  // namespace mxref
