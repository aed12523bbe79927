#include "golden/checkpoint/derived_recipe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mxref::compressed_tensors {
namespace {

using nlohmann::json;

// The library's rule for inputs, which no file states. CHOICE: it rounds as for mxfp4 whatever the
// format; for mxfp8 `even` rounds at the format's own precision.
constexpr const char* library_scale_rule = "even";

// A regular expression that matches this name alone.
std::string pattern_of(const std::string& module) {
  std::string pattern;
  for (const char c : module) {
    if (std::string_view(".^$|()[]{}*+?\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

json sides_of(const DerivedLayer& layer) {
  json weights{{"format", layer.scheme->form->format}}, activations{{"format", "none"}};
  if (layer.prescale != Prescale{}) weights["prescale"] = to_string(layer.prescale);
  if (const BlockFormat* format = layer.scheme->activations) {
    activations["format"] = format->name;
    if (!format->has_tensor_scale()) activations["scale_rule"] = library_scale_rule;
  }
  return {{"weights", weights}, {"activations", activations}};
}

}  // namespace

json derive_recipe(const std::map<std::string, DerivedLayer>& layers,
                   const std::set<std::string>& unquantized) {
  struct Kind {
    json sides;
    std::vector<std::string> modules;
  };
  std::vector<Kind> kinds;
  for (const auto& [module, layer] : layers) {
    const json sides = sides_of(layer);
    auto kind = std::ranges::find(kinds, sides, &Kind::sides);
    if (kind == kinds.end()) kind = kinds.insert(kind, {sides, {}});
    kind->modules.push_back(module);
  }
  std::ranges::stable_sort(kinds, std::ranges::greater(),
                           [](const Kind& kind) { return kind.modules.size(); });
  json recipe = kinds.front().sides;
  recipe["datapath"] = "fused";
  recipe["skip"] = json::array();
  for (const std::string& module : unquantized) recipe["skip"].push_back(pattern_of(module));
  recipe["overrides"] = json::array();
  for (auto kind = kinds.begin() + 1; kind != kinds.end(); ++kind) {
    json item = kind->sides;
    std::string match;
    for (const std::string& module : kind->modules) {
      if (!match.empty()) match += '|';
      match += pattern_of(module);
    }
    item["match"] = match;
    recipe["overrides"].push_back(item);
  }
  return recipe;
}

}  // namespace mxref::compressed_tensors
