#include "eval/tasks/item_template.h"

#include <array>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "eval/tasks/python_text.h"

namespace mxref {

void ItemSource::fail(std::string_view field, std::string_view what) const {
  std::string message = file + ":" + std::to_string(line) + ": ";
  if (!field.empty()) message += "field \"" + std::string(field) + "\": ";
  throw InputError(message + std::string(what) + "; expected " + expected);
}

const nlohmann::json& item_field(const nlohmann::json& item, std::string_view path,
                                 const ItemSource& source) {
  const nlohmann::json* value = &item;
  for (std::string_view rest = path; !rest.empty();) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    const std::string name(rest.substr(0, dot));
    if (!value->is_object() || !value->contains(name)) source.fail(path, "is missing");
    value = &(*value)[name];
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return *value;
}

namespace {

std::string before_blank(const std::string& text) { return text.substr(0, text.find('_')); }
std::string after_blank(const std::string& text) {
  return python_strip(text.substr(text.find('_') + 1));
}

struct Filter {
  std::string_view name;
  std::string (*apply)(const std::string&);
  std::string_view needs;  // a text that must occur in the field
};
constexpr std::array filters{Filter{"before_blank", before_blank, "_"},
                             Filter{"after_blank", after_blank, "_"},
                             Filter{"capitalize", python_capitalize, ""}};
static_assert(names_are_distinct(filters));

std::string string_at(const nlohmann::json& value, std::string_view path, std::string_view filter,
                      const ItemSource& source) {
  if (!value.is_string()) source.fail(path, "is not a string");
  const std::string& text = value.get_ref<const std::string&>();
  if (filter.empty()) return text;
  const Filter& row = find_by_name(filters, "filter", filter);
  if (text.find(row.needs) == std::string::npos)
    source.fail(path, "has no '" + std::string(row.needs) + "'");
  return row.apply(text);
}

// The texts that stand for "path", "path|filter" or "path[]".
std::vector<std::string> substitutes(std::string_view field, const nlohmann::json& item,
                                     const ItemSource& source) {
  if (!field.ends_with("[]")) {
    const size_t bar = std::min(field.find('|'), field.size());
    const std::string_view path = field.substr(0, bar);
    const std::string_view filter = field.substr(std::min(bar + 1, field.size()));
    return {string_at(item_field(item, path, source), path, filter, source)};
  }
  const std::string_view path = field.substr(0, field.size() - 2);
  const nlohmann::json& array = item_field(item, path, source);
  if (!array.is_array() || array.empty()) source.fail(path, "is not an array of strings");
  std::vector<std::string> texts;
  for (const auto& element : array) texts.push_back(string_at(element, path, "", source));
  return texts;
}

}  // namespace

std::vector<std::string> expand_template(std::string_view text, const nlohmann::json& item,
                                         const ItemSource& source) {
  std::vector<std::string> results{""};
  while (!text.empty()) {
    const size_t open = std::min(text.find('{'), text.size());
    for (std::string& result : results) result += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find('}');
    const std::vector<std::string> parts = substitutes(text.substr(1, close - 1), item, source);
    text.remove_prefix(close + 1);
    std::vector<std::string> longer;
    for (const std::string& result : results)
      for (const std::string& part : parts) longer.push_back(result + part);
    results = std::move(longer);
  }
  return results;
}

}  // namespace mxref
