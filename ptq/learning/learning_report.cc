#include "ptq/learning/learning_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "emu/error.h"

namespace mxref {

void require_finite_loss(double loss, const std::string& where) {
  if (!std::isfinite(loss))
    throw InputError(where + ": the loss is " + (std::isnan(loss) ? "NaN" : "infinite") +
                     "; expected a finite one (a lower --option lr, or a model whose own loss is)");
}

void note_left_out(const Recipe& recipe, nlohmann::ordered_json& record) {
  auto names = nlohmann::ordered_json::array();
  if (recipe.attention) names.push_back("attention");
  const LinearRecipe head = linear_recipe(recipe, "lm_head");
  if (head.weights.format != "none" || head.activations.format != "none")
    names.push_back("lm_head");
  if (!names.empty()) record["left_out_of_learning"] = names;
}

}  // namespace mxref
