#pragma once
// The results of a crosscheck as rows of a record.

#include <nlohmann/json.hpp>
#include <vector>

#include "emu/crosscheck/crosscheck.h"

namespace mxref {

// Rows "crosscheck", then rows "control". Where an engine refuses some of a row's products, the row
// says how many ("products", "products_refused") and why ("refused").
std::vector<nlohmann::ordered_json> crosscheck_results(const CrosscheckReport& report);

}  // namespace mxref
