#pragma once
// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstdint>
#include <string>
#include <string_view>

namespace mxref {

struct CodePoint {
  uint32_t value;
  size_t bytes;  // 0: what stands there is not UTF-8
};
// The character at the front of `text`, which is not empty.
CodePoint front_code_point(std::string_view text);

// The offset of the first byte that is not part of a character; npos where all is UTF-8.
size_t find_invalid_utf8(std::string_view text);

// Unicode's canonical composition (NFC). `text` is UTF-8.
std::string compose_utf8(std::string_view text);

void append_utf8(std::string& text, uint32_t code_point);

}  // namespace mxref
