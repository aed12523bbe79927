#pragma once
// Texts made of the fields of a JSON item: "Question: {goal}\nAnswer:".

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace mxref {

// Where an item stands, for errors.
struct ItemSource {
  std::string file;
  int64_t line = 0;      // from 1
  std::string expected;  // the form that was expected
  // InputError "FILE:LINE: field "F": WHAT; expected FORM"
  [[noreturn]] void fail(std::string_view field, std::string_view what) const;
};

// The value at a path of field names ("choices.text"). Throws InputError where it is missing.
const nlohmann::json& item_field(const nlohmann::json& item, std::string_view path,
                                 const ItemSource& source);

// "{path}" stands for the string at that path; "{path|filter}" passes it through a filter
// (item_template.cc has their table); "{path[]}" makes one text for each string of an array.
// Throws InputError where a field is missing or no string, or an array is empty.
std::vector<std::string> expand_template(std::string_view text, const nlohmann::json& item,
                                         const ItemSource& source);

}  // namespace mxref
