// The cache of keys and values in a format of its own: what it holds, and that neither batch nor
// history changes it.

#include <numeric>

#include "emu/quantize.h"
#include "emu/rest.h"
#include "tests/golden/every_way.h"
#include "tests/golden/observed_modules.h"

using namespace mxref;
using namespace mxref::test;

namespace {

// A head of the first is one block, of the second half of one.
constexpr const char* families[] = {"llama3", "llama_tied"};

// Values of "kv": every format, roundings, rules and pre-scales.
std::vector<std::string> cache_sides() {
  std::vector<std::string> sides{
      R"({"format": "bf16"})",
      R"({"format": "mxfp4", "prescale": "3/4"})",
      R"({"format": "mxfp8_e4m3", "scale_rule": "mse"})",
      R"({"format": "mxfp4", "rounding": "stochastic", "seed": 7})",
      R"({"format": "nvfp4", "rounding": "stochastic", "seed": 7})",
  };
  for (const BlockFormat& format : block_formats)
    sides.push_back(R"({"format": ")" + std::string(format.name) + R"("})");
  return sides;
}

std::unique_ptr<LanguageModel> model_of(const std::filesystem::path& folder, const std::string& kv,
                                        const std::string& rest) {
  return load_model(*open_checkpoint(folder), parse_recipe("fp32", {"kv=" + kv, "rest=" + rest}),
                    engines);
}

// One sequence's keys or values x (T,G,d), as the definition converts them.
at::Tensor by_definition(const RecipeSide& side, const at::Tensor& x) {
  if (!side.conversion) return x.to(at::kBFloat16).to(at::kFloat);
  const int64_t d = x.size(2);
  return tensor_like(x,
                     dequantize(quantize_ref(vector_of(x), {x.numel() / d, d}, *side.conversion)));
}

// The same in blocks along the tokens: what the cache is not.
at::Tensor along_tokens(const RecipeSide& side, const at::Tensor& x) {
  return by_definition(side, x.permute({1, 2, 0}).contiguous()).permute({2, 0, 1}).contiguous();
}

// Elements of a wide range of their own may be the same in whatever block they are.
bool depends_on_blocks(const RecipeSide& side) {
  return side.conversion && side.conversion->format->element->exponent_bits < 4;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kv_cache)

BOOST_AUTO_TEST_CASE(every_format_has_the_same_bits_by_every_way) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : families)
    for (const std::string& kv : cache_sides()) {
      const auto model = model_of(*data / family, kv, "strict");
      const at::Tensor ids = some_ids(*model, 1, 7).flatten();
      expect_the_same_bits_by_every_way(*model, ids, std::string(family) + " " + kv);
    }
}

BOOST_AUTO_TEST_CASE(it_holds_what_the_definition_makes_of_rotated_keys_and_of_values) {
  const auto data = shared_data("models");
  if (!data) return;
  constexpr int64_t B = 2, T = 5, layer = 1;
  for (const char* family : families)
    for (const char* rest : {"strict", "library"})
      for (const std::string& kv : cache_sides()) {
        const auto model = model_of(*data / family, kv, rest);
        const RecipeSide side = parse_recipe("fp32", {"kv=" + kv}).kv;
        KvCache cache;
        const auto seen = observe_modules(*model, some_ids(*model, B, T), &cache);
        const LayerCache& held = cache.layers[layer];
        for (int64_t b = 0; b < B; ++b) {
          const std::string what = std::string(family) + ", rest " + rest + ", " + kv;
          const HeadsOf of{seen, B, b, held.keys.size(3)};
          const at::Tensor keys = held.keys[b].transpose(0, 1),  // (T,G,d)
              values = held.values[b].transpose(0, 1);
          const at::Tensor k = of("self_attn.rotary.k output"), v = of("self_attn.v_proj output");
          BOOST_TEST(same_bits(keys, by_definition(side, k)), what);
          BOOST_TEST(same_bits(values, by_definition(side, v)), what);
          BOOST_TEST(same_bits(keys, of("self_attn.cache.k output")), what);
          BOOST_TEST(same_bits(values, of("self_attn.cache.v output")), what);
          // The controls: keys before the rotation, blocks along the tokens, no conversion.
          BOOST_TEST(!same_bits(keys, by_definition(side, of("self_attn.rotary.k input"))), what);
          if (depends_on_blocks(side)) BOOST_TEST(!same_bits(values, along_tokens(side, v)), what);
          BOOST_TEST(!same_bits(values, v), what);
        }
      }
}

// Attention takes the keys and values that the cache holds, and nothing else of them.
BOOST_AUTO_TEST_CASE(attention_reads_the_dequantized_values) {
  const auto data = shared_data("models");
  if (!data) return;
  constexpr int64_t T = 6;
  for (const char* family : families)
    for (const std::string& kv : cache_sides()) {
      const auto model = model_of(*data / family, kv, "strict");
      KvCache cache;
      const auto seen = observe_modules(*model, some_ids(*model, 1, T), &cache);
      const at::Tensor keys = cache.layers[1].keys, values = cache.layers[1].values;
      const int64_t d = keys.size(3);
      const HeadsOf of{seen, 1, 0, d};
      const at::Tensor q = of("self_attn.rotary.q output");
      const auto attention = [&](const at::Tensor& v) {
        std::vector<float> out(size_t(q.numel()));
        rest::attention_ref(
            {.queries = T, .keys = T, .heads = q.size(1), .kv_heads = keys.size(1), .head_dim = d},
            vector_of(q).data(), vector_of(keys).data(), vector_of(v).data(), out.data());
        return tensor_like(q, out);
      };
      const at::Tensor got = of("self_attn.attention output");
      BOOST_TEST(same_bits(got, attention(values)), family << " " << kv);
      // The control: the values as they were before.
      const at::Tensor before = of("self_attn.v_proj output").transpose(0, 1).contiguous();
      BOOST_TEST(!same_bits(got, attention(before)), family << " " << kv);
    }
}

// A token's random words are those of its position: the control shows that others matter.
BOOST_AUTO_TEST_CASE(random_words_go_with_the_position_of_a_token) {
  const auto data = shared_data("models");
  if (!data) return;
  const std::string kv = R"({"format": "mxfp4", "rounding": "stochastic", "seed": 7})";
  const auto model = model_of(*data / "llama3", kv, "strict");
  const Conversion conversion = *parse_recipe("fp32", {"kv=" + kv}).kv.conversion;
  const at::Tensor ids = some_ids(*model, 1, 6);
  KvCache cache;
  model->forward(ids.narrow(1, 0, 4), false, &cache);
  const auto seen = observe_modules(*model, ids.narrow(1, 4, 2), &cache);
  const at::Tensor values = cache.layers[1].values;  // (1,G,T,d)
  const int64_t G = values.size(1), d = values.size(3);
  const at::Tensor v = HeadsOf{seen, 1, 0, d}("self_attn.v_proj output");
  const auto converted = [&](uint64_t first) {
    return tensor_like(v, dequantize(quantize_ref(vector_of(v), {2 * G, d}, conversion, first)));
  };
  const at::Tensor held = values[0].narrow(1, 4, 2).transpose(0, 1);
  BOOST_TEST(same_bits(held, converted(uint64_t(4 * G * d))));
  BOOST_TEST(!same_bits(held, converted(0)));
}

BOOST_AUTO_TEST_CASE(the_first_tokens_of_a_cache_are_a_cache) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto model =
      load_model(*open_checkpoint(*data / "llama3"),
                 parse_recipe("w4a4kv4", {"attention.queries.format=mxfp4"}), engines);
  const at::Tensor ids = some_ids(*model, 1, 8);
  KvCache longer, shorter;
  model->forward(ids, false, &longer);
  model->forward(ids.narrow(1, 0, 5), false, &shorter);
  KvCache first = longer.first(5), other = longer.first(4);
  BOOST_TEST(first.length() == 5);
  BOOST_TEST(longer.first(0).length() == 0);
  const at::Tensor rest = ids.narrow(1, 5, 3);
  const at::Tensor expected = model->forward(rest, false, &shorter).logits;
  BOOST_TEST(same_bits(model->forward(rest, false, &first).logits, expected));
  BOOST_TEST(longer.length() == 8);
  BOOST_TEST(!same_bits(model->forward(rest, false, &other).logits, expected));  // the control
}

BOOST_AUTO_TEST_SUITE_END()
