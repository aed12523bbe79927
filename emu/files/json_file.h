#pragma once
// JSON that others wrote. Everything that reads JSON reads it here.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mxref {

// No file that is read here nests deeper; copying or printing a value overflows the stack where its
// depth is tens of thousands.
inline constexpr int max_json_depth = 64;

// `text` as a value. `where` (a file, a line of it) begins the message of the InputError that is
// thrown where it is no valid JSON in UTF-8, nests deeper than max_json_depth, or names a field of
// an object twice, of which the parser alone would drop one.
nlohmann::json parse_json(const std::string& where, std::string_view text);

// The same of a text, or of a file, that must be one object.
nlohmann::json parse_json_object(const std::string& where, std::string_view text);
nlohmann::json read_json_object(const std::filesystem::path& path);

// A text or a value of a file in a message: the beginning of a long one.
std::string shown_text(std::string_view text);
std::string shown(const nlohmann::json& value);

}  // namespace mxref
