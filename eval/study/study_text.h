#pragma once
// The record of a study in words, and as the files study.md and study.csv.

#include <nlohmann/json.hpp>
#include <string>

namespace mxref {

// What all tables need to be said once.
std::string how_to_read(const nlohmann::ordered_json& record);
// What stands over "resolution".
std::string resolution_note(const nlohmann::ordered_json& record);

std::string study_markdown(const nlohmann::ordered_json& record);
// A line for each task of each cell.
std::string study_csv(const nlohmann::ordered_json& record);

}  // namespace mxref
