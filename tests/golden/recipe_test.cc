#include "golden/recipe.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "emu/error.h"
#include "tests/deep_json.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(recipe)

// The message of the UsageError that `f` throws; "" where it throws none.
template <typename F>
static std::string refusal(F f) {
  try {
    f();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}
static bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

// A file that is gone at the end of the test.
struct RecipeFile {
  TemporaryFolder folder;
  std::filesystem::path path;
  explicit RecipeFile(const std::string& text) : path(folder.write("recipe.json", text)) {}
};

BOOST_AUTO_TEST_CASE(every_named_recipe_survives_its_own_json) {
  for (const std::string_view name : recipe_names()) {
    const Recipe first = parse_recipe(name);
    const RecipeFile file(to_json(first).dump());
    BOOST_TEST(to_json(parse_recipe(file.path.string())) == to_json(first), std::string(name));
  }
}

BOOST_AUTO_TEST_CASE(names_say_what_the_design_says) {
  const Recipe w4a8 = parse_recipe("w4a8");
  BOOST_TEST(w4a8.weights.format == "mxfp4");
  BOOST_TEST(to_string(w4a8.weights.conversion->prescale) == "3/4");
  BOOST_TEST(w4a8.activations.format == "mxfp8_e4m3");
  BOOST_TEST(w4a8.activations.conversion->prescale.is_one());
  BOOST_TEST(w4a8.datapath == "fused");
  BOOST_TEST(parse_recipe("fake_quant_w4a8").datapath == "fake_quant");
  BOOST_TEST(parse_recipe("w4a16").activations.format == "none");
  BOOST_TEST(parse_recipe("bf16").output == "bf16");
  BOOST_TEST(recipe_names().size() == 20u);

  const Recipe w4a4kv4 = parse_recipe("w4a4kv4"), nvfp4 = parse_recipe("nvfp4");
  BOOST_TEST((w4a4kv4.kv == w4a4kv4.activations));
  BOOST_TEST((parse_recipe("w4a8kv8").kv == parse_recipe("w8a8").activations));
  BOOST_TEST((parse_recipe("fake_quant_w4a8kv8").kv == parse_recipe("w4a8kv8").kv));
  BOOST_TEST(w4a8.kv.format == "none");
  BOOST_TEST(!w4a8.attention);
  BOOST_TEST(parse_recipe("w8a16").weights.format == "mxfp8_e4m3");
  BOOST_TEST(parse_recipe("w8a16").activations.format == "none");
  BOOST_TEST(nvfp4.weights.format == "nvfp4");
  BOOST_TEST(!nvfp4.weights.conversion->scale_by_row);
  BOOST_TEST(nvfp4.activations.conversion->scale_by_row);
}

BOOST_AUTO_TEST_CASE(settings_reach_nested_fields) {
  const Recipe r = parse_recipe(
      "w4a4", {"weights.prescale=1", "implementation=ref", R"(skip=["lm_head", ".*down_proj"])",
               R"(overrides=[{"match":"a.*"}])", "overrides.0.match=b.*",
               R"(overrides.0.weights={"format":"mxfp8_e4m3"})", "activations.format=none"});
  BOOST_TEST(to_string(r.weights.conversion->prescale) == "1");
  BOOST_TEST(r.implementation == "ref");
  BOOST_TEST(r.skip.size() == 2u);
  BOOST_TEST(r.overrides.at(0).match == "b.*");
  BOOST_TEST(r.overrides.at(0).weights->format == "mxfp8_e4m3");
  BOOST_TEST(!r.activations.conversion);
}

BOOST_AUTO_TEST_CASE(unknown_names_fields_and_values_are_refused_with_a_suggestion) {
  const auto setting = [](const std::string& text) {
    return refusal([&] { parse_recipe("w4a4", {text}); });
  };
  BOOST_TEST(holds(refusal([] { parse_recipe("w4a5"); }), "did you mean 'w4a"));
  BOOST_TEST(holds(setting("weigths.format=mxfp4"), "did you mean 'weights'"));
  BOOST_TEST(holds(setting("weights.fromat=mxfp4"), "did you mean 'format'"));
  BOOST_TEST(holds(setting("weights.format=mxpf4"), "did you mean 'mxfp4'"));
  BOOST_TEST(holds(setting("datapath=fussed"), "did you mean 'fused'"));
  BOOST_TEST(holds(setting("weights.prescale=6/8"), "lowest terms"));
  BOOST_TEST(holds(setting("rest=exact"), "recipe field 'rest': unknown value 'exact'"));
  BOOST_TEST(holds(setting("skip=lm_head"), "is no valid JSON"));
  BOOST_TEST(holds(setting("skip=" + std::string(100000, '[')), "nests deeper"));
  const std::string long_value = "skip=[{\"x\":\"" + std::string(100000, 'x') + "\"}]";
  BOOST_TEST(holds(setting(long_value), "is not a string: {\"x\":\"xxx"));
  BOOST_TEST(setting(long_value).size() < 300u);
  BOOST_TEST(holds(setting(R"(skip="lm_head")"), "is not an array"));
  BOOST_TEST(holds(setting(R"(skip=["("])"), "not a regular expression"));
  BOOST_TEST(holds(setting("overrides.3.match=x"), "there is no '3'"));
  BOOST_TEST(holds(setting("kv.format=mxpf8_e4m3"), "did you mean 'mxfp8_e4m3'"));
  BOOST_TEST(holds(setting("kv.scale_rule=floor"), "means nothing where 'kv.format' is 'none'"));
  BOOST_TEST(holds(setting("attention.querys.format=mxfp4"), "did you mean 'queries'"));
  BOOST_TEST(holds(setting("attention.queries.format=mxpf4"), "did you mean 'mxfp4'"));
  BOOST_TEST(holds(setting("implementation"), "is not path=value"));
  BOOST_TEST(holds(refusal([] { parse_recipe("fp32", {"weights.prescale=3/4"}); }),
                   "means nothing where 'weights.format' is 'none'"));
  BOOST_TEST(setting("weights.format=mxfp4") == "");  // the control: a good setting is taken
}

// Of each setting what it becomes in the recipe's own JSON, which is read again.
static json after(const std::vector<std::string>& settings) {
  const json object = to_json(parse_recipe("w4a4", settings));
  const RecipeFile file(object.dump());
  BOOST_TEST(to_json(parse_recipe(file.path.string())) == object);
  return object;
}

BOOST_AUTO_TEST_CASE(the_cache_is_a_side_of_its_own) {
  BOOST_TEST(after({})["kv"] == json({{"format", "none"}}));
  for (const BlockFormat& format : block_formats) {
    const json kv = after({"kv.format=" + std::string(format.name)})["kv"];
    BOOST_TEST(kv["format"] == format.name);
    BOOST_TEST(kv["rounding"] == "rne");
    BOOST_TEST(kv.contains("scale_rule") == !format.has_tensor_scale());
  }
  BOOST_TEST(parse_recipe("w4a4", {"kv.format=nvfp4"}).kv.conversion->scale_by_row);
  BOOST_TEST(after({"kv.format=bf16"})["kv"] == json({{"format", "bf16"}}));
  const json stochastic = after({R"(kv={"format": "mxfp4", "rounding": "stochastic", "seed": 7})"});
  BOOST_TEST(stochastic["kv"]["seed"] == 7);
}

BOOST_AUTO_TEST_CASE(attention_has_operands_of_its_own) {
  const json unquantized{{"format", "none"}};
  BOOST_TEST(after({})["attention"] ==
             json({{"queries", unquantized}, {"probabilities", unquantized}}));
  const json one = after({"attention.queries.format=mxfp8_e4m3"})["attention"];
  BOOST_TEST(one["queries"]["format"] == "mxfp8_e4m3");
  BOOST_TEST(!one.contains("keys"));
  const json all = after({"attention.queries.format=mxfp8_e4m3", "attention.keys.format=mxfp4",
                          "attention.probabilities.format=mxint8", "attention.values.format=bf16",
                          "attention.keys.prescale=3/4"})["attention"];
  BOOST_TEST(all["keys"]["prescale"] == "3/4");
  BOOST_TEST(all["values"] == json({{"format", "bf16"}}));
  BOOST_TEST(after({"attention.queries.format=mxfp4", "attention.queries.format=none"}) ==
             after({}));
}

BOOST_AUTO_TEST_CASE(keys_of_attention_are_the_caches_own_where_it_has_codes) {
  const auto products = [](std::vector<std::string> settings, const char* name = "w4a4kv4") {
    settings.insert(settings.begin(), "attention.queries.format=mxfp8_e4m3");
    return *attention_products(parse_recipe(name, settings));
  };
  BOOST_TEST(products({}).takes_cached_codes);
  BOOST_TEST((products({}).scores.weights == parse_recipe("w4a4kv4").kv));
  const auto given = products({"attention.keys.format=mxint8"});
  BOOST_TEST(!given.takes_cached_codes);
  BOOST_TEST(given.scores.weights.format == "mxint8");
  const auto without_cache = products({}, "w4a4");
  BOOST_TEST(!without_cache.takes_cached_codes);
  BOOST_TEST(without_cache.scores.weights.format == "mxfp8_e4m3");
  BOOST_TEST(products({}, "fake_quant_w4a4kv4").takes_cached_codes);
  BOOST_TEST(products({"attention.probabilities.format=mxfp4"}).mixing.weights.format == "mxfp4");
  BOOST_TEST(!attention_products(parse_recipe("w4a4kv4")));
}

BOOST_AUTO_TEST_CASE(what_attentions_products_cannot_take_is_refused) {
  const auto setting = [](const std::string& text, const char* name = "w4a4") {
    return refusal([&] { parse_recipe(name, {text}); });
  };
  for (const char* operand : {"queries", "keys", "probabilities", "values"}) {
    const std::string field = std::string("attention.") + operand;
    BOOST_TEST(holds(setting(field + ".format=nvfp4"), "nvfp4 is not for attention's products"));
    BOOST_TEST(holds(setting(field + R"(={"format": "mxfp4", "rounding": "stochastic"})"),
                     "'" + field + ".rounding': stochastic is not for"));
    BOOST_TEST(setting(field + ".format=mxfp4") == "");  // the control
  }
  BOOST_TEST(holds(setting(R"(attention={"queries": {"format": "mxfp4"}, "key": {}})"),
                   "did you mean 'keys'"));
  BOOST_TEST(holds(setting("attention=3"), "'attention' is not an object"));
  const std::vector<std::string> cached{"kv.format=nvfp4", "attention.queries.format=mxfp8_e4m3"};
  BOOST_TEST(holds(refusal([&] { parse_recipe("w4a4", cached); }),
                   "'attention.keys' is missing: those of the cache are nvfp4"));
}

BOOST_AUTO_TEST_CASE(an_engine_is_needed_where_two_converted_operands_meet) {
  const auto needs = [](const char* name, const std::vector<std::string>& settings = {}) {
    return needs_engine(parse_recipe(name, settings), {"layer", "lm_head"});
  };
  BOOST_TEST(needs("w4a4"));
  BOOST_TEST(!needs("w4a16"));
  BOOST_TEST(!needs("fake_quant_w4a4kv4"));
  BOOST_TEST(!needs("fp32", {"kv.format=mxfp4"}));
  BOOST_TEST(needs("fp32", {"attention.queries.format=mxfp4"}));
  BOOST_TEST(needs("fp32", {"attention.probabilities.format=mxfp4"}));
  BOOST_TEST(!needs("fp32", {"attention.keys.format=mxfp4"}));
  BOOST_TEST(!has_datapath(parse_recipe("fp32", {"attention.queries.format=mxfp4"})));
}

BOOST_AUTO_TEST_CASE(damaged_files_are_input_errors) {
  for (const char* text : {"", "{", "[]", "3"}) {
    const RecipeFile file(text);
    BOOST_CHECK_THROW(parse_recipe(file.path.string()), InputError);
  }
  BOOST_CHECK_THROW(parse_recipe("no_such_folder/r.json"), InputError);
  for (const char* field : {"datapath", "colour"}) {
    const RecipeFile file(deep_json(field));
    BOOST_CHECK_THROW(parse_recipe(file.path.string()), InputError);
  }
  for (const auto& [text, says] :
       {std::pair{R"({"weights": {"format": 4}})", "'weights.format' is not a string: 4"},
        {R"({"weigths": {}})", "did you mean 'weights'"},
        {R"({"weights": {"format": "mxpf4"}})", "did you mean 'mxfp4'"}}) {
    const RecipeFile file(text);
    BOOST_CHECK_EXCEPTION(parse_recipe(file.path.string()), InputError,
                          ([&, &says = says](const InputError& e) {
                            return holds(e.what(), file.path) && holds(e.what(), says);
                          }));
  }
  // What --set adds to a good file is wrong use again.
  const RecipeFile good("{}");
  BOOST_TEST(holds(refusal([&] { parse_recipe(good.path.string(), {"rest=x"}); }),
                   "valid: strict, library"));
}

BOOST_AUTO_TEST_CASE(the_rest_is_strict_but_for_fake_quantization) {
  for (const std::string_view name : recipe_names())
    BOOST_TEST(parse_recipe(name).rest == (name.starts_with("fake_quant") ? "library" : "strict"),
               name);
  BOOST_TEST(parse_recipe(RecipeFile("{}").path.string()).rest == "strict");
  BOOST_TEST(parse_recipe(RecipeFile(R"({"datapath": "fake_quant"})").path.string()).rest ==
             "library");
  BOOST_TEST(parse_recipe("w4a4", {"rest=library"}).rest == "library");
}

BOOST_AUTO_TEST_CASE(the_last_matching_override_wins_and_skip_stays_unquantized) {
  const RecipeFile file(R"({"weights": {"format": "mxfp4", "prescale": "3/4"},
    "activations": {"format": "mxfp4"}, "skip": ["lm_head", "layer\\.0"], "overrides": [
      {"match": "layer\\..*", "weights": {"format": "mxfp8_e4m3"}},
      {"match": ".*2", "activations": {"format": "none"}}]})");
  const Recipe r = parse_recipe(file.path.string());
  BOOST_TEST(linear_recipe(r, "layer.0").weights.format == "none");
  BOOST_TEST(linear_recipe(r, "layer.1").weights.format == "mxfp8_e4m3");
  BOOST_TEST(linear_recipe(r, "layer.1").activations.format == "mxfp4");
  BOOST_TEST(linear_recipe(r, "layer.2").weights.format == "mxfp4");
  BOOST_TEST(linear_recipe(r, "layer.2").activations.format == "none");
  BOOST_TEST(linear_recipe(r, "a.layer.1").weights.format == "mxfp4");  // whole names only
}

BOOST_AUTO_TEST_CASE(patterns_that_match_nothing_are_refused) {
  const std::vector<std::string> modules{"layer.0", "layer.1", "lm_head"};
  const auto check = [&](std::vector<std::string> settings) {
    return refusal([&] { check_patterns(parse_recipe("w4a4", settings), modules); });
  };
  BOOST_TEST(check({}) == "");
  BOOST_TEST(holds(check({R"(skip=["head"])"}), "skip 'head' matches no linear layer"));
  BOOST_TEST(holds(check({R"(overrides=[{"match":"layer"}])"}), "override 'layer' matches no"));
  BOOST_TEST(holds(check({R"(overrides=[{"match":"lm_head"}])"}), "skip leaves unquantized"));
  BOOST_TEST(check({R"(overrides=[{"match":"layer.*"}])"}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
