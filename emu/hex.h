#pragma once
// Bits in hexadecimal.

#include <cstdint>
#include <string>

namespace mxref {

// The lowest 4 · digits bits, in lower case, without 0x.
inline std::string to_hex(uint64_t value, int digits) {
  std::string text(size_t(digits), '0');
  for (size_t i = text.size(); i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

}  // namespace mxref
