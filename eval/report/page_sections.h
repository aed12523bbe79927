#pragma once
// The sections of the page, each the HTML of one part of the record.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eval/report/html.h"

namespace mxref {

// What their tables and texts are written with: a column of numbers, and a text of the record.
constexpr auto number = Column::Kind::number;
inline std::string text(const nlohmann::ordered_json& value) {
  return escape_html(value.get<std::string>());
}

std::string section_words(const nlohmann::ordered_json& record);
std::string section_agreement(const nlohmann::ordered_json& record);
std::string section_cosimulation(const nlohmann::ordered_json& record);
std::string section_rtl_forward(const nlohmann::ordered_json& record);
std::string section_accuracy(const nlohmann::ordered_json& record);
std::string section_drift(const nlohmann::ordered_json& record);
std::string section_fronts(const nlohmann::ordered_json& record);

// A section of the page with its number; nothing where its body is empty.
std::string section(int place, std::string_view title, const std::string& body);

// Plots of accuracy and drift.
std::string plot_perplexity(const nlohmann::ordered_json& record);
std::string plot_accuracy(const nlohmann::ordered_json& record);
std::string plot_recovery(const nlohmann::ordered_json& record);
std::string plot_drift(const nlohmann::ordered_json& record);

}  // namespace mxref
