#pragma once
// Valid JSON that no reader may take: copying or printing what it nests would overflow the stack.

#include <string>

namespace mxref {

// An object whose field `name` is a list in a list …
inline std::string deep_json(const std::string& name, size_t lists = 100000) {
  return "{\"" + name + "\":" + std::string(lists, '[') + std::string(lists, ']') + "}";
}

}  // namespace mxref
