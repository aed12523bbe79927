#pragma once
// The recipe: one object says how a model computes (DESIGN.md, "The recipe").

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"

namespace mxref {

// One side of a linear layer. `conversion` is empty for the formats "none" and "bf16".
struct RecipeSide {
  std::string format = "none";  // an MX format, "bf16" or "none"
  std::optional<Conversion> conversion;
  bool operator==(const RecipeSide&) const = default;
};

struct RecipeOverride {
  std::string match;  // regular expression for a whole module name
  std::optional<RecipeSide> weights, activations;
};

struct Recipe {
  std::string name;  // as given on the command line
  RecipeSide weights, activations;
  std::string output;              // "" or "bf16"
  std::string datapath = "fused";  // a datapath's name, or "fake_quant"
  std::string implementation = "kernel";
  std::string rest = "strict";  // or "library": what is no product of two quantized operands
  std::vector<std::string> skip = {"lm_head"};
  std::vector<RecipeOverride> overrides;
};

// NAME or FILE.json, then each "path=value" of --set. Throws UsageError for an unknown name, field
// or value (with the valid ones and "did you mean"), InputError where the file has them or is
// damaged.
Recipe parse_recipe(std::string_view name_or_file, const std::vector<std::string>& settings = {});
std::vector<std::string_view> recipe_names();
nlohmann::json to_json(
    const Recipe& recipe);  // the whole object, as records and checkpoints hold it

// What computes the linear layer `module`: the two sides after the overrides (the last match wins;
// a side that it does not state stays the recipe's). What skip matches is unquantized whatever the
// overrides say, and its output is not rounded.
struct LinearRecipe {
  RecipeSide weights, activations;
  bool bf16_output = false;
};
LinearRecipe linear_recipe(const Recipe& recipe, const std::string& module);

// Whether a datapath multiplies what both sides are converted to: an engine's work.
bool has_datapath(const Recipe& recipe);

// Throws UsageError where a pattern of skip or overrides matches none of the model's linear layers,
// or an override only layers that are skipped.
void check_patterns(const Recipe& recipe, const std::vector<std::string>& modules);

}  // namespace mxref
