#pragma once
// The page of a study: one HTML file that needs nothing else, made of its record.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mxref {

// Throws InputError where gnuplot is missing.
std::string render_study_page(const nlohmann::ordered_json& record);

}  // namespace mxref
