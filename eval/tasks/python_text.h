#pragma once
// The string functions of Python that the published task definitions are written in.

#include <cstdint>
#include <string>
#include <string_view>

namespace mxref {

// All on valid UTF-8.
int64_t python_length(std::string_view text);            // code points, as len()
std::string python_strip(std::string_view text);         // white space of Unicode, both ends
size_t python_stripped_end(std::string_view text);       // bytes that rstrip() leaves
std::string python_capitalize(const std::string& text);  // first letter large, the others small

}  // namespace mxref
