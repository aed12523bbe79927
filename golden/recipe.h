#pragma once
// The recipe: one object says how a model computes (DESIGN.md, "The recipe").

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emu/block.h"

namespace mxref {

// One operand: a side of a linear layer, the cache, or an operand of attention. `conversion` is
// empty for the formats "none" and "bf16".
struct RecipeSide {
  std::string format = "none";  // an MX format, "nvfp4", "bf16" or "none"
  std::optional<Conversion> conversion;
  bool operator==(const RecipeSide&) const = default;
};

struct RecipeOverride {
  std::string match;  // regular expression for a whole module name
  std::optional<RecipeSide> weights, activations;
};

// The operands of attention's own products, QKᵀ and P·V. Where `keys` is empty they are those of
// the cache, in its own codes where `kv` is quantized, else converted as the queries are; where
// `values` is empty they are converted as the probabilities are.
struct AttentionRecipe {
  RecipeSide queries, probabilities;
  std::optional<RecipeSide> keys, values;
};

struct Recipe {
  std::string name;  // as given on the command line
  RecipeSide weights, activations;
  RecipeSide kv;  // the cache: keys (rotated) and values, in blocks along the head dimension
  std::optional<AttentionRecipe> attention;  // empty: its products are part of the rest
  std::string output;                        // "" or "bf16"
  std::string datapath = "fused";            // a datapath's name, or "fake_quant"
  std::string implementation = "kernel";
  std::string rest = "strict";  // or "library": what is no product of two quantized operands
  std::vector<std::string> skip = {"lm_head"};
  std::vector<RecipeOverride> overrides;
};

// NAME or FILE.json, then each "path=value" of --set. Throws UsageError for an unknown name, field
// or value (with the valid ones and "did you mean"), InputError where the file has them or is
// damaged.
Recipe parse_recipe(std::string_view name_or_file, const std::vector<std::string>& settings = {});
// The recipe that a file holds as a JSON object, under the name "stored". Throws InputError that
// begins with `where` for what is wrong with it, UsageError for a setting.
Recipe recipe_of(const nlohmann::json& object, const std::string& where,
                 const std::vector<std::string>& settings = {});
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

// Attention's products as linear layers: the queries are the input of one whose weights are the
// keys, the probabilities of one whose weights are the values.
struct AttentionProducts {
  LinearRecipe scores, mixing;
  bool takes_cached_codes = false;  // the keys are not converted: they are the cache's codes
};
std::optional<AttentionProducts> attention_products(const Recipe& recipe);

// Whether an engine computes a product of the linear layers `modules` or of attention.
bool needs_engine(const Recipe& recipe, const std::vector<std::string>& modules);

// Whether a datapath multiplies what both sides of linear layers are converted to: an engine's
// work.
bool has_datapath(const Recipe& recipe);

// Throws UsageError where a pattern of skip or overrides matches none of the model's linear layers,
// or an override only layers that are skipped.
void check_patterns(const Recipe& recipe, const std::vector<std::string>& modules);

}  // namespace mxref
