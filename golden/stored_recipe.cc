#include "golden/stored_recipe.h"

#include <nlohmann/json.hpp>

namespace mxref {

std::optional<Recipe> stored_recipe(const Checkpoint& model,
                                    const std::vector<std::string>& settings) {
  const nlohmann::json& config = model.config();
  const auto own = config.find("mxref");
  if (own == config.end() || !own->is_object() || !own->contains("recipe")) return std::nullopt;
  const std::filesystem::path path = model.path();
  std::error_code error;
  const auto file = std::filesystem::is_directory(path, error) ? path / "config.json" : path;
  return recipe_of(own->at("recipe"), file.string() + ": mxref.recipe", settings);
}

}  // namespace mxref
