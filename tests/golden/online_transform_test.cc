// Hadamard matrices and the on-line transforms of quantized models.

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/error.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "golden/checkpoint/memory_checkpoint.h"
#include "golden/models/hadamard.h"
#include "golden/models/online_transform.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;
using nlohmann::json;

namespace {

constexpr uint64_t matrix_seed = 11;

at::Tensor random_rows(int64_t rows, int64_t n) {
  std::mt19937_64 random(matrix_seed);
  std::normal_distribution<float> normal;
  at::Tensor x = at::empty({rows, n}, at::kFloat);
  for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = normal(random);
  return x;
}

// x·H/√n from the core alone, in binary64.
std::vector<double> by_definition(const std::vector<double>& x) {
  const auto n = int64_t(x.size());
  const HadamardOrder order = hadamard_order(n);
  const std::vector<int8_t>& core = hadamard_core(order.core);
  std::vector<double> y(x.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const int sylvester =
          __builtin_parityll(uint64_t(i % order.power) & uint64_t(j % order.power)) ? -1 : 1;
      const int entry = core[size_t(i / order.power * order.core + j / order.power)];
      y[size_t(j)] += x[size_t(i)] * sylvester * entry;
    }
  for (double& value : y) value /= std::sqrt(double(n));
  return y;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

bool is_hadamard(const std::vector<int8_t>& h, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int64_t dot = 0;
      for (int64_t k = 0; k < n; ++k) dot += h[size_t(i * n + k)] * h[size_t(j * n + k)];
      if (dot != (i == j ? n : 0)) return false;
    }
  return true;
}

OnlineTransforms transforms(const json& list, const std::map<std::string, at::Tensor>& tensors,
                            int64_t n) {
  return {list, "here", [&](const std::string& name) { return tensors.at(name); },
          [n](const std::string& module) {
            return module == "m" || module == "m.self_attn.rotary" ? n : 0;
          },
          strict_rest()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hadamard)

// Widths of SmolLM2, Qwen2.5, Llama-2 and 3, openPangu: hidden, intermediate, heads.
BOOST_AUTO_TEST_CASE(every_width_of_the_known_models_has_a_matrix) {
  for (const int64_t n :
       {1,    2,   4,    8,    12,    20,    28,    32,    36,   64,   128,  576,
        1536, 896, 4864, 4096, 11008, 12800, 14336, 18944, 3584, 5120, 2048, 8192}) {
    const HadamardOrder order = hadamard_order(n);
    BOOST_TEST(order.core * order.power == n);
    BOOST_TEST(is_hadamard(hadamard_core(order.core), order.core), "core " << order.core);
  }
  // The control: a sign changed.
  std::vector<int8_t> damaged = hadamard_core(12);
  damaged[17] = int8_t(-damaged[17]);
  BOOST_TEST(!is_hadamard(damaged, 12));
}

BOOST_AUTO_TEST_CASE(an_order_that_is_not_known_is_refused_by_its_number) {
  for (const int64_t n : {3, 6, 7, 9, 14, 30, 0, -4}) {
    BOOST_TEST(!has_hadamard_order(n));
    BOOST_CHECK_EXCEPTION(hadamard_order(n), UsageError, [&](const UsageError& e) {
      return std::string(e.what()).find(std::to_string(n)) != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_CASE(the_transform_is_the_product_with_the_matrix_and_its_transpose_undoes_it) {
  std::mt19937_64 random(matrix_seed);
  std::normal_distribution<double> normal;
  for (const int64_t n :
       {1, 2, 12, 32, 36, 76, 200, 344, 576, 896, 1536, 4864, 4096, 11008, 12800, 14336, 18944}) {
    std::vector<double> x(size_t(n), 0.0);
    for (double& value : x) value = normal(random);
    std::vector<double> y = x;
    hadamard_transform(y.data(), 1, n);
    BOOST_TEST(largest_difference(y, by_definition(x)) < 1e-11, n);
    hadamard_transform(y.data(), 1, n, 1, /*transposed=*/true);
    BOOST_TEST(largest_difference(y, x) < 1e-11, n);
  }
}

BOOST_AUTO_TEST_CASE(an_inner_axis_is_transformed_for_each_of_its_elements) {
  constexpr int64_t n = 12, inner = 5;
  at::Tensor x = random_rows(3, n * inner), y = x.clone();
  hadamard_transform(y.data_ptr<float>(), 3, n, inner);
  at::Tensor columns = x.view({3, n, inner}).transpose(1, 2).contiguous();
  hadamard_transform(columns.data_ptr<float>(), 3 * inner, n);
  BOOST_TEST(same_bits(y, columns.transpose(1, 2).reshape({3, n * inner})));
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_number_of_threads) {
  const int before = threads();
  const at::Tensor x = random_rows(300, 576);
  std::vector<at::Tensor> results;
  for (const int count : {1, 2, 5}) {
    set_threads(count);
    results.push_back(x.clone());
    hadamard_transform(results.back().data_ptr<float>(), 300, 576);
    BOOST_TEST(same_bits(results.front(), results.back()));
  }
  set_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(online_transforms)

BOOST_AUTO_TEST_CASE(kronecker_is_the_product_with_both_factors) {
  const at::Tensor x = random_rows(7, 24), left = random_rows(4, 4), right = random_rows(6, 6);
  const auto list =
      json::parse(R"([{"after": "m", "kind": "kronecker", "left": "l", "right": "r"}])");
  const at::Tensor y = transforms(list, {{"l", left}, {"r", right}}, 24).apply("m", x);
  for (int64_t row = 0; row < 7; ++row) {
    const at::Tensor X = x[row].view({4, 6}).to(at::kDouble);
    const at::Tensor expected =
        at::mm(at::mm(left.to(at::kDouble).t(), X), right.to(at::kDouble)).flatten();
    BOOST_TEST((expected - y[row]).abs().max().item<double>() < 1e-5);
    // The control: the factors transposed.
    const at::Tensor other =
        at::mm(at::mm(left.to(at::kDouble), X), right.to(at::kDouble)).flatten();
    BOOST_TEST((other - y[row]).abs().max().item<double>() > 1e-2);
  }
  // The left factor alone is that with the unit matrix.
  const auto alone = json::parse(R"([{"after": "m", "kind": "kronecker", "left": "l"}])");
  BOOST_TEST(
      same_bits(transforms(alone, {{"l", left}}, 24).apply("m", x),
                transforms(list, {{"l", left}, {"r", at::eye(6, at::kFloat)}}, 24).apply("m", x)));
}

BOOST_AUTO_TEST_CASE(affine_keeps_the_products_of_queries_and_keys) {
  const at::Tensor q = random_rows(5, 8), k = random_rows(5, 8), p = random_rows(8, 8);
  const at::Tensor inverse = at::linalg_inv(p.to(at::kDouble)).t().to(at::kFloat).contiguous();
  const auto list = json::parse(
      R"([{"after": "m.self_attn.rotary", "kind": "affine", "matrix": "p", "inverse": "i"}])");
  const OnlineTransforms online = transforms(list, {{"p", p}, {"i", inverse}}, 8);
  const at::Tensor scores = at::mm(online.apply("m.self_attn.rotary", q),
                                   online.apply_to_keys("m.self_attn.rotary", k).t());
  BOOST_TEST(largest_difference(scores, at::mm(q, k.t())) < 1e-3);
}

BOOST_AUTO_TEST_CASE(clip_bounds_each_block_by_its_own_largest) {
  at::Tensor x = random_rows(2, 10);
  const auto list = json::parse(R"([{"after": "m", "kind": "clip", "ratio": 0.5, "block": 4}])");
  const at::Tensor y = transforms(list, {}, 10).apply("m", x);
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t k = 0; k < 10; ++k) {
      float largest = 0;
      for (int64_t i = k / 4 * 4; i < std::min<int64_t>(k / 4 * 4 + 4, 10); ++i)
        largest = std::max(largest, std::abs(x[row][i].item<float>()));
      const float value = x[row][k].item<float>(), bound = 0.5f * largest;
      BOOST_TEST(y[row][k].item<float>() == std::min(std::max(value, -bound), bound));
    }
}

BOOST_AUTO_TEST_CASE(what_is_unknown_or_does_not_fit_is_refused_in_one_line) {
  const struct {
    const char* list;
    const char* expected;
  } rows[] = {
      {R"({})", "no array"},
      {R"([{"kind": "hadamard"}])", "has no string 'after'"},
      {R"([{"after": "x", "kind": "hadamard"}])", "stands after 'x'"},
      {R"([{"after": "m", "kind": "hadamar"}])", "did you mean"},
      {R"([{"after": "m", "kind": "hadamard", "size": 5}])", "does not divide"},
      {R"([{"after": "m", "kind": "hadamard", "size": 6}])", "order 6"},
      {R"([{"after": "m", "kind": "hadamard", "sise": 6}])", "sise"},
      {R"([{"after": "m", "kind": "clip", "ratio": 2}])", "'ratio'"},
      {R"([{"after": "m", "kind": "kronecker", "left": "l", "right": 3}])", "'right'"},
      {R"([{"after": "m", "kind": "kronecker", "left": "f"}])", "do not divide the width 24"},
      {R"([{"after": "m", "kind": "kronecker", "left": "l", "right": "l"}])", "the width is 24"},
      {R"([{"after": "m", "kind": "affine", "matrix": "l", "inverse": "l"}])", "rotary only"},
  };
  const std::map<std::string, at::Tensor> tensors{{"l", at::eye(3, at::kFloat)},
                                                  {"f", at::eye(5, at::kFloat)}};
  for (const auto& row : rows)
    BOOST_CHECK_EXCEPTION(transforms(json::parse(row.list), tensors, 24), InputError,
                          [&](const InputError& e) {
                            BOOST_TEST_MESSAGE(e.what());
                            return std::string(e.what()).find(row.expected) != std::string::npos;
                          });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(transformed_models)

namespace {

MemoryCheckpoint copy_of(const Checkpoint& checkpoint) {
  MemoryCheckpoint copy(checkpoint.config(), checkpoint.path(), checkpoint.sha256());
  for (const std::string& name : checkpoint.names()) copy.set(name, checkpoint.tensor(name));
  return copy;
}

// The weight W (N,K) as the transformed activations want it: x·H·(W·H)ᵀ = x·Wᵀ.
void turn_columns(MemoryCheckpoint& model, const std::string& name, int64_t size) {
  HostTensor w = model.values(name);
  hadamard_transform(w.values.data(), int64_t(w.values.size()) / size, size);
  model.set(name, std::move(w));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_rotation_that_the_weights_undo_leaves_the_logits) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : {"llama_tied", "qwen2"}) {
    const auto original = open_checkpoint(*data / family);
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    const at::Tensor ids = view_of(reference, "batch.input_ids");
    const at::Tensor expected = load_model(*original, fp32(), ref_alone())->forward(ids).logits;

    MemoryCheckpoint turned = copy_of(*original);
    const int64_t width = turned.config()["hidden_size"];
    const std::string layer = "model.layers.0.";
    const std::string rotary = layer + "self_attn.rotary", norm = layer + "input_layernorm";
    turned.config()["mxref"] = {{"transforms",
                                 {{{"after", rotary}, {"kind", "hadamard"}},
                                  {{"after", norm}, {"kind", "hadamard"}, {"size", width}}}}};
    // The control: the activations alone are turned.
    BOOST_TEST(largest_difference(load_model(turned, fp32(), ref_alone())->forward(ids).logits,
                                  expected) > 1e-2);
    for (const char* module : {"q", "k", "v"})
      turn_columns(turned, layer + "self_attn." + module + "_proj.weight", width);
    BOOST_TEST(largest_difference(load_model(turned, fp32(), ref_alone())->forward(ids).logits,
                                  expected) < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(codes_of_the_checkpoint_are_taken_as_they_are) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto original = open_checkpoint(*data / "llama3");
  const auto reference = SafetensorsFile::open(*data / "llama3" / "reference.safetensors");
  const at::Tensor ids = view_of(reference, "batch.input_ids");
  const std::string name = "model.layers.0.mlp.up_proj.weight";
  for (const char* recipe_name : {"w4a4", "w4a16", "fake_quant_w4a4"}) {
    const Recipe recipe = parse_recipe(recipe_name, {"implementation=ref"});
    const auto logits = [&](const Checkpoint& model) {
      return load_model(model, recipe, ref_alone())->forward(ids).logits;
    };
    const HostTensor w = original->tensor(name);
    MxTensor codes = quantize(w.values, w.shape, *recipe.weights.conversion);
    MemoryCheckpoint stored = copy_of(*original);
    stored.set(name, codes);
    BOOST_TEST(same_bits(logits(stored), logits(*original)));
    // The control: one code of another value.
    codes.codes[5] ^= 1;
    stored.set(name, codes);
    BOOST_TEST(!same_bits(logits(stored), logits(*original)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
