#pragma once
// How a quantized model computes, as its own files say.

#include "golden/checkpoint/checkpoint.h"
#include "golden/recipe.h"

namespace mxref {

// config()["mxref"]["recipe"], then the settings as in parse_recipe(); nullopt where the model has
// none. Throws InputError that names file and field, UsageError for a setting.
std::optional<Recipe> stored_recipe(const Checkpoint& model,
                                    const std::vector<std::string>& settings = {});

}  // namespace mxref
