#pragma once
// The alphabet in which byte-level vocabularies are written: every byte has a printable character
// (GPT-2's bytes_to_unicode).

#include <optional>
#include <string>
#include <string_view>

namespace mxref {

// "Ġ" for 0x20.
std::string letter_of_byte(unsigned char byte);
// Bytes of a token's text; nullopt where a character is not in the alphabet.
std::optional<std::string> bytes_of_letters(std::string_view letters);

}  // namespace mxref
