#include "golden/recipe.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "emu/datapaths.h"
#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

using nlohmann::json;
using Names = std::vector<std::string_view>;

constexpr Prescale three_quarters{3, 4};

RecipeSide bits4() {
  return {"mxfp4", Conversion{.format = &block_format("mxfp4"), .prescale = three_quarters}};
}
RecipeSide bits8() { return {"mxfp8_e4m3", Conversion{.format = &block_format("mxfp8_e4m3")}}; }
RecipeSide bfloat16() { return {"bf16", std::nullopt}; }
RecipeSide unquantized() { return {}; }

// The named recipes; each exists a second time under fake_quant_name.
struct NamedRecipe {
  std::string_view name, fake_quant_name;
  RecipeSide (*weights)();
  RecipeSide (*activations)();
  std::string_view output = "";
};
constexpr std::array named_recipes{
    NamedRecipe{"fp32", "fake_quant_fp32", unquantized, unquantized},
    NamedRecipe{"bf16", "fake_quant_bf16", bfloat16, bfloat16, "bf16"},
    NamedRecipe{"w8a8", "fake_quant_w8a8", bits8, bits8},
    NamedRecipe{"w4a16", "fake_quant_w4a16", bits4, unquantized},
    NamedRecipe{"w4a8", "fake_quant_w4a8", bits4, bits8},
    NamedRecipe{"w4a4", "fake_quant_w4a4", bits4, bits4},
};
static_assert(names_are_distinct(named_recipes));

std::optional<Recipe> named(std::string_view name) {
  for (const NamedRecipe& row : named_recipes)
    if (name == row.name || name == row.fake_quant_name) {
      Recipe recipe;
      recipe.name = name;
      recipe.weights = row.weights();
      recipe.activations = row.activations();
      recipe.output = row.output;
      if (name == row.fake_quant_name) {
        recipe.datapath = "fake_quant";
        recipe.rest = "library";
      }
      return recipe;
    }
  return std::nullopt;
}

// ---- JSON → Recipe. `where` is the path of the object, "" at the root, ending in a dot elsewhere.

void check_fields(const json& object, const std::string& where, const Names& valid) {
  const std::string parent = where.substr(0, where.size() - !where.empty());
  if (!object.is_object()) throw UsageError("recipe field '" + parent + "' is not an object");
  for (const auto& [key, value] : object.items())
    if (std::find(valid.begin(), valid.end(), key) == valid.end())
      throw UsageError((parent.empty() ? "" : "recipe field '" + parent + "': ") +
                       unknown_name("recipe field", key, valid));
}

std::string text_of(const json& object, const std::string& where, const char* key,
                    const std::string& absent) {
  const auto field = object.find(key);
  if (field == object.end()) return absent;
  if (!field->is_string())
    throw UsageError("recipe field '" + where + key + "' is not a string: " + shown(*field));
  return *field;
}

// The value of a field that has a fixed list of values.
std::string choice_of(const json& object, const std::string& where, const char* key,
                      const std::string& absent, const Names& valid) {
  std::string value = text_of(object, where, key, absent);
  if (std::find(valid.begin(), valid.end(), value) == valid.end())
    throw UsageError("recipe field '" + where + key + "': " + unknown_name("value", value, valid));
  return value;
}

template <typename Table>
Names names_of(const Table& table, Names more) {
  for (const auto& row : table) more.push_back(row.name);
  return more;
}

RecipeSide parse_side(const json& object, const std::string& where) {
  check_fields(object, where, {"format", "scale_rule", "rounding", "prescale", "relabel", "seed"});
  RecipeSide side;
  side.format =
      choice_of(object, where, "format", "none", names_of(block_formats, {"none", "bf16"}));
  if (side.format == "none" || side.format == "bf16") {
    for (const char* key : {"scale_rule", "rounding", "prescale", "relabel", "seed"})
      if (object.contains(key))
        throw UsageError("recipe field '" + where + key + "' means nothing where '" + where +
                         "format' is '" + side.format + "'");
    return side;
  }
  Conversion conversion{.format = &block_format(side.format)};
  if (conversion.format->has_tensor_scale() &&
      (object.contains("scale_rule") || object.contains("prescale")))
    throw UsageError("recipe field '" + where + "': scale rules and pre-scales do not apply to " +
                     side.format);
  conversion.rule =
      &scale_rule(choice_of(object, where, "scale_rule", "floor", names_of(scale_rules, {})));
  conversion.rounding =
      &rounding(choice_of(object, where, "rounding", "rne", names_of(roundings, {})));
  try {
    conversion.prescale = parse_prescale(text_of(object, where, "prescale", "1"));
  } catch (const UsageError& error) {
    throw UsageError("recipe field '" + where + "prescale': " + error.what());
  }
  if (object.contains("relabel") && !object["relabel"].is_boolean())
    throw UsageError("recipe field '" + where + "relabel' is neither true nor false");
  if (object.contains("seed") && !object["seed"].is_number_unsigned())
    throw UsageError("recipe field '" + where + "seed' is no number from 0 to 2^64-1");
  conversion.relabel = object.value("relabel", false);
  conversion.seed = object.value("seed", uint64_t(0));
  side.conversion = conversion;
  return side;
}

// Activations: where the format has tensor scales each token has its own, so that no result depends
// on what else is in the batch.
RecipeSide by_row(RecipeSide side) {
  if (side.conversion) side.conversion->scale_by_row = side.conversion->format->has_tensor_scale();
  return side;
}

std::string parse_pattern(const json& value, const std::string& where) {
  if (!value.is_string())
    throw UsageError("recipe field '" + where + "' is not a string: " + shown(value));
  const std::string pattern = value;
  try {
    std::regex{pattern};
  } catch (const std::regex_error& error) {
    throw UsageError("recipe field '" + where + "': '" + pattern +
                     "' is not a regular expression: " + error.what());
  }
  return pattern;
}

const json& array_of(const json& object, const char* key) {
  const json& value = object.at(key);
  if (!value.is_array())
    throw UsageError("recipe field '" + std::string(key) + "' is not an array");
  return value;
}

RecipeOverride parse_override(const json& object, const std::string& where) {
  check_fields(object, where, {"match", "weights", "activations"});
  if (!object.contains("match")) throw UsageError("recipe field '" + where + "match' is missing");
  RecipeOverride result;
  result.match = parse_pattern(object["match"], where + "match");
  if (object.contains("weights"))
    result.weights = parse_side(object["weights"], where + "weights.");
  if (object.contains("activations"))
    result.activations = by_row(parse_side(object["activations"], where + "activations."));
  return result;
}

// A name, or a description as a JSON object; a text that holds one is as good.
std::string parse_datapath(const json& object, const std::string& absent) {
  const auto found = object.find("datapath");
  const bool is_description =
      found != object.end() &&
      (found->is_object() || (found->is_string() && found->get<std::string>().starts_with('{')));
  if (!is_description)
    return choice_of(object, "", "datapath", absent, names_of(datapaths, {"fake_quant"}));
  return std::string(datapath(found->is_object() ? found->dump() : found->get<std::string>()).name);
}

Recipe parse_object(const json& object) {
  check_fields(object, "",
               {"weights", "activations", "kv", "output", "datapath", "implementation", "rest",
                "skip", "overrides"});
  Recipe recipe;
  if (object.contains("weights")) recipe.weights = parse_side(object["weights"], "weights.");
  if (object.contains("activations"))
    recipe.activations = by_row(parse_side(object["activations"], "activations."));
  if (object.contains("kv")) {
    check_fields(object["kv"], "kv.", {"format"});
    choice_of(object["kv"], "kv.", "format", "none", {"none"});
  }
  if (choice_of(object, "", "output", "none", {"none", "bf16"}) == "bf16") recipe.output = "bf16";
  recipe.datapath = parse_datapath(object, recipe.datapath);
  recipe.implementation = text_of(object, "", "implementation", recipe.implementation);
  const char* absent_rest = recipe.datapath == "fake_quant" ? "library" : "strict";
  recipe.rest = choice_of(object, "", "rest", absent_rest, {"strict", "library"});
  if (object.contains("skip")) {
    recipe.skip.clear();
    for (const json& pattern : array_of(object, "skip"))
      recipe.skip.push_back(parse_pattern(pattern, "skip." + std::to_string(recipe.skip.size())));
  }
  if (object.contains("overrides"))
    for (const json& item : array_of(object, "overrides"))
      recipe.overrides.push_back(
          parse_override(item, "overrides." + std::to_string(recipe.overrides.size()) + "."));
  return recipe;
}

// ---- --set path=value

json parse_setting_value(const std::string& path, const std::string& key, const std::string& text) {
  static constexpr std::array structured{"weights", "activations", "kv", "skip", "overrides"};
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

json to_json(const RecipeSide& side) {
  json object{{"format", side.format}};
  if (side.conversion) {
    const Conversion& c = *side.conversion;
    if (!c.format->has_tensor_scale()) {
      object["scale_rule"] = c.rule->name;
      object["prescale"] = to_string(c.prescale);
    }
    object["rounding"] = c.rounding->name;
    if (c.relabel) object["relabel"] = true;
    if (c.rounding->stochastic) object["seed"] = c.seed;
  }
  return object;
}

Recipe read_recipe(const std::string& file) {
  const json object = read_json_object(file);
  try {
    return parse_object(object);
  } catch (const UsageError& error) {
    throw InputError(file + ": " + error.what());
  }
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
  for (const std::string& setting : settings) {
    json object = to_json(*recipe);
    apply_setting(object, setting);
    recipe = parse_object(object);
  }
  recipe->name = given;
  return *recipe;
}

json to_json(const Recipe& recipe) {
  json overrides = json::array();
  for (const RecipeOverride& item : recipe.overrides) {
    json object{{"match", item.match}};
    if (item.weights) object["weights"] = to_json(*item.weights);
    if (item.activations) object["activations"] = to_json(*item.activations);
    overrides.push_back(object);
  }
  return {{"weights", to_json(recipe.weights)},
          {"activations", to_json(recipe.activations)},
          {"kv", {{"format", "none"}}},
          {"output", recipe.output.empty() ? "none" : recipe.output},
          {"datapath", recipe.datapath},
          {"implementation", recipe.implementation},
          {"rest", recipe.rest},
          {"skip", recipe.skip},
          {"overrides", overrides}};
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
