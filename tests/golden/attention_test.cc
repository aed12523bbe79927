// Attention's own products on a recipe's datapath, against a slow reconstruction from what the
// model's modules observed.

#include <cmath>

#include "emu/elementary.h"
#include "emu/error.h"
#include "emu/gemm.h"
#include "emu/quantize.h"
#include "emu/rest.h"
#include "tests/golden/every_way.h"
#include "tests/golden/observed_modules.h"

using namespace mxref;
using namespace mxref::test;

namespace {

struct Case {
  const char* recipe;
  std::vector<std::string> settings;
};
const Case cases[] = {
    {"fp32", {"attention.queries.format=mxfp8_e4m3", "attention.probabilities.format=mxfp8_e4m3"}},
    {"w4a4kv4",
     {"attention.queries.format=mxfp8_e4m3", "attention.probabilities.format=mxfp8_e4m3",
      "attention.values.format=mxfp4", "attention.values.prescale=3/4"}},
    {"fp32",
     {"datapath=tensorcore_mxf8", "attention.queries.format=mxfp6_e2m3",
      "attention.keys.format=mxint8", "attention.probabilities.format=mxfp8_e5m2",
      "attention.probabilities.scale_rule=ceil", "attention.values.format=mxfp6_e3m2"}},
    {"w8a8", {"datapath=exact", "kv.format=mxfp4", "attention.queries.format=mxfp8_e4m3"}},
    {"fp32", {"datapath=blockwise", "attention.probabilities.format=mxfp4"}},
    {"fp32", {"kv.format=mxfp8_e4m3", "attention.values.format=mxfp4"}},
};
std::string named(const char* family, const Case& c) {
  std::string text = std::string(family) + " " + c.recipe;
  for (const std::string& setting : c.settings) text += " --set " + setting;
  return text;
}

// x (M,K), w (N,K) → (M,N), on the datapath where both are converted, else a chain of fused steps.
std::vector<float> product(const RecipeSide& x_side, const RecipeSide& w_side,
                           const std::string& path, std::vector<float> x, std::vector<float> w,
                           int64_t K) {
  const int64_t M = int64_t(x.size()) / K, N = int64_t(w.size()) / K;
  std::vector<float> y(size_t(M * N));
  if (x_side.conversion && w_side.conversion) {
    gemm_ref(quantize_ref(x, {M, K}, *x_side.conversion),
             quantize_ref(w, {N, K}, *w_side.conversion), datapath(path), {}, y);
    return y;
  }
  if (x_side.conversion) x = dequantize(quantize_ref(x, {M, K}, *x_side.conversion));
  if (w_side.conversion) w = dequantize(quantize_ref(w, {N, K}, *w_side.conversion));
  rest::product_ref(x.data(), w.data(), M, N, K, y.data());
  return y;
}

// What a reconstruction may do wrong.
enum class Fault { none, sees_later_values, values_along_the_head, unrotated_queries };

// One sequence of T tokens. q, k, v (T,heads or G,d) as the projections and the rotation give
// them → (T,heads,d), query by query.
at::Tensor reconstruct(const Recipe& recipe, const at::Tensor& q, const at::Tensor& k,
                       const at::Tensor& v, Fault fault) {
  const AttentionRecipe& given = *recipe.attention;
  const bool is_cached = recipe.kv.conversion.has_value();
  const RecipeSide keys_side = given.keys  ? *given.keys
                               : is_cached ? (given.queries.conversion ? recipe.kv : RecipeSide{})
                                           : given.queries;
  const RecipeSide values_side = given.values.value_or(given.probabilities);
  const int64_t T = q.size(0), heads = q.size(1), G = k.size(1), d = q.size(2);
  const auto cached = [&](const at::Tensor& x) {
    if (!is_cached) return x;
    return tensor_like(x,
                       dequantize(quantize_ref(vector_of(x), {T * G, d}, *recipe.kv.conversion)));
  };
  // Where the cache has the keys' codes they are converted once, from what went into it.
  const at::Tensor keys = given.keys || !given.queries.conversion ? cached(k) : k,
                   values = cached(v);
  at::Tensor out = q.contiguous().clone();
  for (int64_t t = 0; t < T; ++t)
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t g = h / (heads / G), n = t + 1;
      std::vector<float> p = product(given.queries, keys_side, recipe.datapath, vector_of(q[t][h]),
                                     vector_of(keys.select(1, g).narrow(0, 0, n)), d);
      rest::softmax_ref(p.data(), 1, n, rsqrt_ref(float(d)), p.data());
      at::Tensor seen = values.select(1, g);  // (T,d)
      RecipeSide side = values_side;
      if (fault == Fault::sees_later_values && side.conversion) {
        seen = tensor_like(seen.t(),
                           dequantize(quantize_ref(vector_of(seen.t()), {d, T}, *side.conversion)))
                   .view({d, T})
                   .t();
      } else if (fault == Fault::values_along_the_head && side.conversion) {
        seen =
            tensor_like(seen, dequantize(quantize_ref(vector_of(seen), {T, d}, *side.conversion)));
      }
      out[t][h].copy_(tensor_like(out[t][h], product(given.probabilities, side, recipe.datapath, p,
                                                     vector_of(seen.narrow(0, 0, n).t()), n)));
    }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention)

BOOST_AUTO_TEST_CASE(the_products_are_those_of_each_query_and_the_keys_that_it_sees) {
  const auto data = shared_data("models");
  if (!data) return;
  constexpr int64_t B = 2, T = 41;  // a second block of positions, which is not full
  for (const char* family : {"llama3", "llama_tied"})
    for (const Case& c : cases) {
      const Recipe recipe = parse_recipe(c.recipe, c.settings);
      const auto model = load_model(*open_checkpoint(*data / family), recipe, engines);
      KvCache cache;
      const auto seen = observe_modules(*model, some_ids(*model, B, T), &cache);
      for (int64_t b = 0; b < B; ++b) {
        const HeadsOf of{seen, B, b, cache.layers[0].keys.size(3)};
        const auto expected = [&](Fault fault) {
          const bool rotates = fault != Fault::unrotated_queries;
          return reconstruct(recipe,
                             of(rotates ? "self_attn.rotary.q output" : "self_attn.rotary.q input"),
                             of("self_attn.rotary.k output"), of("self_attn.v_proj output"), fault);
        };
        const at::Tensor got = of("self_attn.attention output");
        BOOST_TEST(same_bits(got, expected(Fault::none)), named(family, c) << ", sequence " << b);
        // The controls.
        BOOST_TEST(!same_bits(got, expected(Fault::unrotated_queries)), named(family, c));
        if (!attention_products(recipe)->mixing.weights.conversion) continue;
        BOOST_TEST(!same_bits(got, expected(Fault::sees_later_values)), named(family, c));
        BOOST_TEST(!same_bits(got, expected(Fault::values_along_the_head)), named(family, c));
      }
    }
}

BOOST_AUTO_TEST_CASE(it_has_the_same_bits_by_every_way) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : {"llama3", "llama_tied"})
    for (const Case& c : cases) {
      const auto model =
          load_model(*open_checkpoint(*data / family), parse_recipe(c.recipe, c.settings), engines);
      const at::Tensor ids = some_ids(*model, 1, 36).flatten();
      expect_the_same_bits_by_every_way(*model, ids, named(family, c));
    }
}

BOOST_AUTO_TEST_CASE(every_engine_gives_the_same_bits) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const Case& c : cases) {
    const auto logits = [&](std::vector<std::string> settings) {
      settings.insert(settings.begin(), c.settings.begin(), c.settings.end());
      const auto model = load_model(*open_checkpoint(*data / "llama_tied"),
                                    parse_recipe(c.recipe, settings), engines);
      return model->forward(some_ids(*model, 1, 36)).logits;
    };
    const at::Tensor expected = logits({"implementation=ref"});
    BOOST_TEST(same_bits(logits({"implementation=kernel"}), expected), named("llama_tied", c));
    // The control: attention as part of the rest.
    BOOST_TEST(!same_bits(logits({"attention={}"}), expected), named("llama_tied", c));
  }
}

// The library's product of dequantized operands: near the datapath's, and not the unquantized one.
BOOST_AUTO_TEST_CASE(fake_quantization_dequantizes_and_multiplies_by_the_library) {
  const auto data = shared_data("models");
  if (!data) return;
  const Case& c = cases[0];
  const auto output = [&](const char* recipe, std::vector<std::string> settings) {
    settings.push_back("rest=library");
    const auto model =
        load_model(*open_checkpoint(*data / "llama3"), parse_recipe(recipe, settings), engines);
    // The first layer's: nothing before it differs.
    return observe_modules(*model, some_ids(*model, 1, 36))
        .at("model.layers.0.self_attn.attention output");
  };
  const at::Tensor datapath = output("fp32", c.settings), none = output("fp32", {}),
                   fake = output("fake_quant_fp32", c.settings);
  const float largest = datapath.abs().max().item<float>();
  // binary32 sums of 36 products, after scores that differ as little.
  BOOST_TEST(largest_difference(fake, datapath) <= 1e-5f * largest);
  BOOST_TEST(!same_bits(fake, datapath));
  BOOST_TEST(largest_difference(none, datapath) > 1e-3f * largest);
}

BOOST_AUTO_TEST_CASE(what_the_engine_does_not_take_is_refused_when_the_model_is_loaded) {
  const auto data = shared_data("models");
  if (!data) return;
  const std::string datapath =
      R"(datapath={"kind":"aligned","terms":64,"group":64,"fraction_bits":25,"e_zero":-133,"output":"rz"})";
  const auto load = [&](const std::vector<std::string>& settings) {
    load_model(*open_checkpoint(*data / "llama3"), parse_recipe("fp32", settings), engines);
  };
  for (const char* operand : {"queries", "probabilities"})
    BOOST_CHECK_EXCEPTION(
        load({datapath, std::string("attention.") + operand + ".format=mxfp8_e4m3"}), UsageError,
        [](const UsageError& error) {
          return std::string(error.what()).find("do not divide a block") != std::string::npos;
        });
  BOOST_CHECK_NO_THROW(load({datapath}));  // the control: no product is the engine's
}

BOOST_AUTO_TEST_SUITE_END()
