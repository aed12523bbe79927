#pragma once
// The results of a record as rows (DESIGN.md, "Records"): each has "task".

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace mxref {

using ResultRows = std::vector<nlohmann::ordered_json>;

inline ResultRows rows_of(const nlohmann::ordered_json& results, std::string_view task) {
  ResultRows rows;
  for (const auto& row : results)
    if (row["task"] == task) rows.push_back(row);
  return rows;
}

// Those of choice tasks under a recipe.
inline ResultRows choices_of(const nlohmann::ordered_json& results,
                             const nlohmann::ordered_json& recipe) {
  ResultRows rows;
  for (const auto& row : results)
    if (row.contains("chosen") && row["recipe"] == recipe) rows.push_back(row);
  return rows;
}

// JSON has neither NaN nor infinities.
inline nlohmann::ordered_json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace mxref
