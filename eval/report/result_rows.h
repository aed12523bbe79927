#pragma once
// The results of a record as rows (DESIGN.md, "Records"): each has "task".

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
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
inline double number_or_nan(const nlohmann::ordered_json& value) {
  return value.is_number() ? value.get<double>() : NAN;
}

// A text; empty where there is none.
inline std::string text_of(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

// Of a field that not every row has.
inline double number_of(const nlohmann::ordered_json& row, const char* field) {
  return row.contains(field) ? number_or_nan(row[field]) : NAN;
}

// The spread of a metric under noise; NaN where the result has none.
inline double noise_of(const nlohmann::ordered_json& row, const char* metric) {
  return row.contains("noise") && row["noise"].contains(metric)
             ? number_or_nan(row["noise"][metric]["sd"])
             : NAN;
}
inline bool has_noise(const nlohmann::ordered_json& results) {
  return std::any_of(results.begin(), results.end(),
                     [](const auto& row) { return row.contains("noise"); });
}

}  // namespace mxref
