#include "golden/recipe.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "emu/error.h"
#include "emu/files/json_file.h"
#include "golden/recipe_json.h"

namespace mxref {
namespace {

using nlohmann::json;
using Names = std::vector<std::string_view>;

constexpr Prescale three_quarters{3, 4};

RecipeSide bits4() {
  return {"mxfp4", Conversion{.format = &block_format("mxfp4"), .prescale = three_quarters}};
}
RecipeSide bits8() { return {"mxfp8_e4m3", Conversion{.format = &block_format("mxfp8_e4m3")}}; }
RecipeSide nvfp4() { return {"nvfp4", Conversion{.format = &block_format("nvfp4")}}; }
// One tensor scale for each token.
RecipeSide nvfp4_by_row() {
  return {"nvfp4", Conversion{.format = &block_format("nvfp4"), .scale_by_row = true}};
}
RecipeSide bfloat16() { return {"bf16", std::nullopt}; }
RecipeSide unquantized() { return {}; }

// The named recipes; each exists a second time under fake_quant_name.
struct NamedRecipe {
  std::string_view name, fake_quant_name;
  RecipeSide (*weights)();
  RecipeSide (*activations)();
  RecipeSide (*kv)() = unquantized;
  std::string_view output = "";
};
constexpr std::array named_recipes{
    NamedRecipe{"fp32", "fake_quant_fp32", unquantized, unquantized},
    NamedRecipe{"bf16", "fake_quant_bf16", bfloat16, bfloat16, unquantized, "bf16"},
    NamedRecipe{"w8a8", "fake_quant_w8a8", bits8, bits8},
    NamedRecipe{"w8a16", "fake_quant_w8a16", bits8, unquantized},
    NamedRecipe{"w4a16", "fake_quant_w4a16", bits4, unquantized},
    NamedRecipe{"w4a8", "fake_quant_w4a8", bits4, bits8},
    NamedRecipe{"w4a8kv8", "fake_quant_w4a8kv8", bits4, bits8, bits8},
    NamedRecipe{"w4a4", "fake_quant_w4a4", bits4, bits4},
    NamedRecipe{"w4a4kv4", "fake_quant_w4a4kv4", bits4, bits4, bits4},
    NamedRecipe{"nvfp4", "fake_quant_nvfp4", nvfp4, nvfp4_by_row},
};
static_assert(names_are_distinct(named_recipes));

std::optional<Recipe> named(std::string_view name) {
  for (const NamedRecipe& row : named_recipes)
    if (name == row.name || name == row.fake_quant_name) {
      Recipe recipe;
      recipe.name = name;
      recipe.weights = row.weights();
      recipe.activations = row.activations();
      recipe.kv = row.kv();
      recipe.output = row.output;
      if (name == row.fake_quant_name) {
        recipe.datapath = "fake_quant";
        recipe.rest = "library";
      }
      return recipe;
    }
  return std::nullopt;
}

// ---- --set path=value

json parse_setting_value(const std::string& path, const std::string& key, const std::string& text) {
  static constexpr std::array structured{
      "weights", "activations",   "kv",     "attention", "queries",
      "keys",    "probabilities", "values", "skip",      "overrides"};
  if (std::find(structured.begin(), structured.end(), key) == structured.end()) return text;
  try {
    return parse_json("--set " + path, text);
  } catch (const InputError& error) {
    throw UsageError(error.what());
  }
}

// The element of `object` that a step of a path names; a field that is not there yet is made.
json& step_into(json& object, const std::string& step, const std::string& path) {
  if (object.is_object() || object.is_null()) return object[step];
  size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (!object.is_array() || error != std::errc() || end != step.data() + step.size() ||
      index >= object.size())
    throw UsageError("--set " + path + ": there is no '" + step + "' in " + shown(object));
  return object[index];
}

void apply_setting(json& recipe, const std::string& setting) {
  const size_t equals = setting.find('=');
  if (equals == setting.npos || equals == 0)
    throw UsageError("--set '" + setting + "' is not path=value");
  const std::string path = setting.substr(0, equals);
  json* parent = &recipe;
  size_t begin = 0;
  for (size_t dot; (dot = path.find('.', begin)) != path.npos; begin = dot + 1)
    parent = &step_into(*parent, path.substr(begin, dot - begin), path);
  const std::string key = path.substr(begin);
  const json value = parse_setting_value(path, key, setting.substr(equals + 1));
  step_into(*parent, key, path) = value;
  // A side that becomes unquantized loses what said how to quantize it.
  if (key == "format" && (value == "none" || value == "bf16")) *parent = {{"format", value}};
}

Recipe read_recipe(const std::string& file) { return recipe_of(read_json_object(file), file); }

Recipe with_settings(Recipe recipe, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    json object = to_json(recipe);
    apply_setting(object, setting);
    recipe = parse_recipe_object(object);
  }
  return recipe;
}

bool matches(const std::string& pattern, const std::string& module) {
  return std::regex_match(module, std::regex(pattern));
}
bool skips(const Recipe& recipe, const std::string& module) {
  return std::any_of(recipe.skip.begin(), recipe.skip.end(),
                     [&](const std::string& pattern) { return matches(pattern, module); });
}

}  // namespace

std::vector<std::string_view> recipe_names() {
  Names names;
  for (const NamedRecipe& row : named_recipes) names.push_back(row.name);
  for (const NamedRecipe& row : named_recipes) names.push_back(row.fake_quant_name);
  return names;
}

Recipe parse_recipe(std::string_view name_or_file, const std::vector<std::string>& settings) {
  const std::string given(name_or_file);
  std::optional<Recipe> recipe = named(given);
  if (!recipe) {
    const bool is_file = given.ends_with(".json") || given.find('/') != given.npos;
    if (!is_file) throw UsageError(unknown_name("recipe", given, recipe_names()));
    recipe = read_recipe(given);
  }
  recipe = with_settings(*std::move(recipe), settings);
  recipe->name = given;
  return *recipe;
}

Recipe recipe_of(const json& object, const std::string& where,
                 const std::vector<std::string>& settings) {
  Recipe recipe;
  try {
    recipe = parse_recipe_object(object);
  } catch (const UsageError& error) {
    throw InputError(where + ": " + error.what());
  }
  recipe = with_settings(std::move(recipe), settings);
  recipe.name = "stored";
  return recipe;
}

LinearRecipe linear_recipe(const Recipe& recipe, const std::string& module) {
  if (skips(recipe, module)) return {};
  LinearRecipe result{recipe.weights, recipe.activations, recipe.output == "bf16"};
  for (auto item = recipe.overrides.rbegin(); item != recipe.overrides.rend(); ++item)
    if (matches(item->match, module)) {
      if (item->weights) result.weights = *item->weights;
      if (item->activations) result.activations = *item->activations;
      break;
    }
  return result;
}

std::optional<AttentionProducts> attention_products(const Recipe& recipe) {
  if (!recipe.attention) return std::nullopt;
  const AttentionRecipe& given = *recipe.attention;
  AttentionProducts products{
      .scores = {.weights = given.keys.value_or(given.queries), .activations = given.queries},
      .mixing = {.weights = given.values.value_or(given.probabilities),
                 .activations = given.probabilities}};
  products.takes_cached_codes = !given.keys && recipe.kv.conversion;
  if (products.takes_cached_codes) products.scores.weights = recipe.kv;
  return products;
}

bool needs_engine(const Recipe& recipe, const std::vector<std::string>& modules) {
  if (recipe.datapath == "fake_quant") return false;
  const auto is_of_engine = [](const LinearRecipe& linear) {
    return linear.weights.conversion && linear.activations.conversion;
  };
  if (const auto attention = attention_products(recipe))
    if (is_of_engine(attention->scores) || is_of_engine(attention->mixing)) return true;
  return std::any_of(modules.begin(), modules.end(), [&](const std::string& module) {
    return is_of_engine(linear_recipe(recipe, module));
  });
}

bool has_datapath(const Recipe& recipe) {
  return recipe.weights.conversion && recipe.activations.conversion &&
         recipe.datapath != "fake_quant";
}

void check_patterns(const Recipe& recipe, const std::vector<std::string>& modules) {
  const auto any = [&](const auto& holds) {
    return std::any_of(modules.begin(), modules.end(), holds);
  };
  for (const std::string& pattern : recipe.skip)
    if (!any([&](const std::string& module) { return matches(pattern, module); }))
      throw UsageError("recipe: skip '" + pattern +
                       "' matches no linear layer of the model, such as '" + modules.front() + "'");
  for (const RecipeOverride& item : recipe.overrides) {
    if (!any([&](const std::string& module) { return matches(item.match, module); }))
      throw UsageError("recipe: override '" + item.match +
                       "' matches no linear layer of the model, such as '" + modules.front() + "'");
    if (!any([&](const std::string& module) {
          return matches(item.match, module) && !skips(recipe, module);
        }))
      throw UsageError("recipe: override '" + item.match +
                       "' matches only layers that skip leaves unquantized");
  }
}

}  // namespace mxref
