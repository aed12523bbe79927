#pragma once
// The page of `mxref validate`: one HTML file that needs nothing else, made of the record.

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mxref {

// `record` as report.json holds it (results, summary, published). Throws InputError where gnuplot
// is missing.
std::string render_page(const nlohmann::ordered_json& record);

}  // namespace mxref
