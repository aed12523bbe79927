#include "ptq/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "emu/error.h"

namespace mxref {
namespace {

using Kind = MethodOption::Kind;

// The whole text as a number; throws UsageError.
double parse_number(const MethodOption& row, const std::string& text) {
  size_t used = 0;
  double value = NAN;
  try {
    value = std::stod(text, &used);
  } catch (const std::logic_error&) {  // told below
  }
  const bool whole = row.kind != Kind::integer || value == std::floor(value);
  if (used != text.size() || !std::isfinite(value) || !whole || value < row.least ||
      value > row.most)
    throw UsageError(fmt::format("option {}={}: expected {} from {:g} to {:g}", row.name, text,
                                 row.kind == Kind::integer ? "an integer" : "a number", row.least,
                                 row.most));
  return value;
}

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const size_t space = list.find(' ');
    words.push_back(list.substr(0, space));
    list = space == list.npos ? "" : list.substr(space + 1);
  }
  return words;
}

void check(const MethodOption& row, const std::string& text) {
  if (row.kind == Kind::number || row.kind == Kind::integer) {
    parse_number(row, text);
    return;
  }
  const auto valid = row.kind == Kind::flag ? std::vector<std::string_view>{"true", "false"}
                                            : words_of(row.choices);
  if (std::ranges::find(valid, text) == valid.end())
    throw UsageError("option " + std::string(row.name) + ": " + unknown_name("value", text, valid));
}

}  // namespace

OptionValues::OptionValues(std::vector<MethodOption> rows,
                           const std::map<std::string, std::string>& given)
    : rows_(std::move(rows)) {
  for (const MethodOption& row : rows_) values_.emplace(row.name, row.default_value);
  for (const auto& [name, text] : given) {
    if (rows_.empty()) throw UsageError("option " + name + ": this method has no options");
    check(find_by_name(rows_, "option", name), text);
    values_[name] = text;
  }
}

const std::string& OptionValues::text(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::logic_error("no option " + std::string(name));
  return found->second;
}

double OptionValues::number(std::string_view name) const { return std::stod(text(name)); }
int64_t OptionValues::integer(std::string_view name) const {
  return int64_t(std::stod(text(name)));
}
bool OptionValues::flag(std::string_view name) const { return text(name) == "true"; }
const std::string& OptionValues::choice(std::string_view name) const { return text(name); }

nlohmann::ordered_json OptionValues::to_json() const {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const MethodOption& row : rows_) {
    const std::string name(row.name);
    switch (row.kind) {
      case Kind::number:
        object[name] = number(name);
        break;
      case Kind::integer:
        object[name] = integer(name);
        break;
      case Kind::flag:
        object[name] = flag(name);
        break;
      case Kind::choice:
        object[name] = choice(name);
        break;
    }
  }
  return object;
}

}  // namespace mxref
