#pragma once
// What learners say of themselves.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "golden/recipe.h"

namespace mxref {

// Throws InputError that begins with `where` (method, layer, step, rate) for an infinite loss or
// NaN: what was learned since is worth nothing.
void require_finite_loss(double loss, const std::string& where);

// The field "left_out_of_learning" of the record, where there is anything: what the recipe
// quantizes and learning computes in binary32, "attention" (its own products) and "lm_head".
void note_left_out(const Recipe& recipe, nlohmann::ordered_json& record);

}  // namespace mxref
