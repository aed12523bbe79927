#include "golden/recipe_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "emu/datapaths.h"
#include "emu/error.h"
#include "emu/files/json_file.h"

namespace mxref {
namespace {

using nlohmann::json;
using Names = std::vector<std::string_view>;

// Throughout `where` is the path of the object, "" at the root, ending in a dot elsewhere.

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

// Activations, keys and values: where the format has tensor scales each token (of keys and values
// each token and head) has its own, so that no result depends on what else is in the batch.
RecipeSide by_row(RecipeSide side) {
  if (side.conversion) side.conversion->scale_by_row = side.conversion->format->has_tensor_scale();
  return side;
}

// An operand of attention's products. Of a right operand (keys, values) a tensor scale is one for
// all positions, so that it would depend on those that a query does not see; a random word goes
// with an element's place in its tensor, and here the tensor differs from query to query.
RecipeSide parse_operand(const json& object, const std::string& where) {
  const RecipeSide side = parse_side(object, where);
  if (!side.conversion) return side;
  if (side.conversion->format->has_tensor_scale())
    throw UsageError("recipe field '" + where + "format': " + side.format +
                     " is not for attention's products: its tensor scale would depend on keys and "
                     "values that a query does not see");
  if (side.conversion->rounding->stochastic)
    throw UsageError("recipe field '" + where +
                     "rounding': stochastic is not for attention's products, whose operands differ "
                     "from query to query");
  return side;
}

// nullopt where every operand is unquantized: then attention is part of the rest.
std::optional<AttentionRecipe> parse_attention(const json& object) {
  check_fields(object, "attention.", {"queries", "keys", "probabilities", "values"});
  const auto operand = [&](const char* key) -> std::optional<RecipeSide> {
    if (!object.contains(key)) return std::nullopt;
    return parse_operand(object[key], std::string("attention.") + key + ".");
  };
  const AttentionRecipe attention{.queries = operand("queries").value_or(RecipeSide{}),
                                  .probabilities = operand("probabilities").value_or(RecipeSide{}),
                                  .keys = operand("keys"),
                                  .values = operand("values")};
  const auto is_stated = [](const std::optional<RecipeSide>& side) {
    return side && side->format != "none";
  };
  if (!is_stated(attention.queries) && !is_stated(attention.probabilities) &&
      !is_stated(attention.keys) && !is_stated(attention.values))
    return std::nullopt;
  return attention;
}

// What QKᵀ takes from the cache must be an operand of it.
void check_keys(const Recipe& recipe) {
  if (!recipe.attention || !recipe.attention->queries.conversion || recipe.attention->keys) return;
  if (recipe.kv.conversion && recipe.kv.conversion->format->has_tensor_scale())
    throw UsageError("recipe field 'attention.keys' is missing: those of the cache are " +
                     recipe.kv.format + " (kv.format), which is not for attention's products");
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

json to_json(const AttentionRecipe& attention) {
  json object{{"queries", to_json(attention.queries)},
              {"probabilities", to_json(attention.probabilities)}};
  if (attention.keys) object["keys"] = to_json(*attention.keys);
  if (attention.values) object["values"] = to_json(*attention.values);
  return object;
}

}  // namespace

Recipe parse_recipe_object(const json& object) {
  check_fields(object, "",
               {"weights", "activations", "kv", "attention", "output", "datapath", "implementation",
                "rest", "skip", "overrides"});
  Recipe recipe;
  if (object.contains("weights")) recipe.weights = parse_side(object["weights"], "weights.");
  if (object.contains("activations"))
    recipe.activations = by_row(parse_side(object["activations"], "activations."));
  if (object.contains("kv")) recipe.kv = by_row(parse_side(object["kv"], "kv."));
  if (object.contains("attention")) recipe.attention = parse_attention(object["attention"]);
  check_keys(recipe);
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
          {"kv", to_json(recipe.kv)},
          {"attention", to_json(recipe.attention.value_or(AttentionRecipe{}))},
          {"output", recipe.output.empty() ? "none" : recipe.output},
          {"datapath", recipe.datapath},
          {"implementation", recipe.implementation},
          {"rest", recipe.rest},
          {"skip", recipe.skip},
          {"overrides", overrides}};
}

}  // namespace mxref
