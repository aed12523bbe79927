// Recipes: a file, then settings `path=value`, one behind each '\0'.

#include "golden/recipe.h"

#include <nlohmann/json.hpp>

#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const std::string file(fuzz::next_part(bytes));
  std::vector<std::string> settings;
  while (!bytes.empty() && settings.size() < 8) settings.emplace_back(fuzz::next_part(bytes));
  fuzz::put("recipe.json", file);
  fuzz::read_or_refuse([&] {
    const Recipe recipe = parse_recipe((fuzz::folder() / "recipe.json").string(), settings);
    // What was read is written as what is read again.
    const std::string text = to_json(recipe).dump();
    fuzz::put("again.json", text);
    const Recipe again = parse_recipe((fuzz::folder() / "again.json").string(), {});
    if (to_json(again).dump() != text) std::abort();
    linear_recipe(recipe, "model.layers.0.self_attn.q_proj");
    check_patterns(recipe, {"model.layers.0.self_attn.q_proj", "lm_head"});
  });
  fuzz::read_or_refuse([&] { parse_recipe("w4a4", settings); });
}
