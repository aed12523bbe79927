#pragma once
// A recipe as a JSON object (DESIGN.md, "The recipe"); the other direction is to_json().

#include <nlohmann/json_fwd.hpp>

#include "golden/recipe.h"

namespace mxref {

// The recipe of such an object, without a name; what it does not state has its default. Throws
// UsageError for an unknown field or value (with the valid ones and "did you mean").
Recipe parse_recipe_object(const nlohmann::json& object);

}  // namespace mxref
