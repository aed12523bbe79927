// What learning differentiates: the forward is the layer's, gradients are those of finite
// differences, matrices stay orthogonal, and a run that was killed goes on with the same bits.

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include "emu/error.h"
#include "emu/philox.h"
#include "emu/threads.h"
#include "ptq/calibration_stream.h"
#include "ptq/learning/adamw.h"
#include "ptq/learning/functions.h"
#include "ptq/learning/learned_layer.h"
#include "ptq/learning/orthogonal.h"
#include "ptq/learning/threads.h"
#include "ptq/method.h"
#include "tests/golden/models_fixture.h"

using namespace mxref;
using namespace mxref::test;

namespace {

// Normal enough: a sum of four uniform values.
at::Tensor random(at::IntArrayRef shape, uint64_t seed, double spread = 1) {
  at::Tensor x = at::empty(shape, at::kFloat);
  for (int64_t i = 0; i < x.numel(); ++i) {
    double sum = -2;
    for (int64_t j = 0; j < 4; ++j)
      sum += double(philox::word(seed, uint64_t(4 * i + j))) / 4294967296.0;
    x.data_ptr<float>()[i] = float(sum * spread);
  }
  return x;
}

// The derivative of Σ f(x)·weights along a direction: by autograd, and by central differences in
// which binary32 leaves some 1e-3 of it.
constexpr double gradient_tolerance = 1e-2;
struct Slopes {
  double by_autograd, by_difference;
  bool agree() const {
    return std::abs(by_autograd - by_difference) <=
           gradient_tolerance * (1 + std::abs(by_difference));
  }
};
template <typename F>
Slopes slopes(F f, at::Tensor x, uint64_t seed, double step = 1e-2) {
  x = x.clone().set_requires_grad(true);
  const at::Tensor y = f(x);
  const at::Tensor weights = random(y.sizes(), seed), direction = random(x.sizes(), seed + 1);
  y.backward(weights);
  const double by_autograd = (x.grad().to(at::kDouble) * direction).sum().template item<double>();
  const auto value = [&](double t) {
    const at::Tensor moved = x.detach() + direction * t;
    return (f(moved).to(at::kDouble) * weights).sum().template item<double>();
  };
  return {by_autograd, (value(step) - value(-step)) / (2 * step)};
}

#define CHECK_GRADIENT(name, f, x, ...)                                                            \
  do {                                                                                             \
    const Slopes s = slopes(f, x, 11, ##__VA_ARGS__);                                              \
    BOOST_TEST(s.agree(), name << ": " << s.by_autograd << ", by difference " << s.by_difference); \
  } while (false)

}  // namespace

BOOST_AUTO_TEST_SUITE(ptq_learning)

BOOST_AUTO_TEST_CASE(gradients_are_those_of_finite_differences) {
  const at::Tensor a = random({5, 12}, 1), b = random({7, 12}, 2), c = random({12, 7}, 3);
  CHECK_GRADIENT(
      "a·bᵀ, a", [&](auto& x) { return multiply(x, false, b, true); }, a);
  CHECK_GRADIENT(
      "a·bᵀ, b", [&](auto& x) { return multiply(a, false, x, true); }, b);
  CHECK_GRADIENT(
      "a·c, c", [&](auto& x) { return multiply(a, false, x, false); }, c);
  CHECK_GRADIENT(
      "cᵀ·aᵀ, c", [&](auto& x) { return multiply(x, true, a, true); }, c);
  CHECK_GRADIENT(
      "cᵀ·aᵀ, a", [&](auto& x) { return multiply(c, true, x, true); }, a);
  const at::Tensor left = random({3, 3}, 4), right = random({4, 4}, 5), rows = random({70, 12}, 6);
  CHECK_GRADIENT(
      "kronecker, x", [&](auto& x) { return kronecker_map(x, left, right); }, rows);
  CHECK_GRADIENT(
      "kronecker, left", [&](auto& x) { return kronecker_map(rows, x, right); }, left);
  CHECK_GRADIENT(
      "kronecker, right", [&](auto& x) { return kronecker_map(rows, left, x); }, right);
  CHECK_GRADIENT(
      "hadamard", [&](auto& x) { return hadamard_map(x, 12, 1); }, rows);
  CHECK_GRADIENT(
      "norm", [&](auto& x) { return unit_rms(x, 1e-5); }, rows);
  CHECK_GRADIENT(
      "gate", [&](auto& x) { return gated_silu(x, rows); }, random({70, 12}, 7));
  CHECK_GRADIENT(
      "up", [&](auto& x) { return gated_silu(rows, x); }, random({70, 12}, 7));
  const at::Tensor ratio = at::ones({1}, at::kFloat) * 0.6;
  CHECK_GRADIENT(
      "clip, ratio", [&](auto& x) { return clip_blocks(rows, x, 4); }, ratio, 1e-4);
  const at::Tensor by_row = random({70, 1}, 8, 0.1) + 0.6;
  CHECK_GRADIENT(
      "clip, ratios", [&](auto& x) { return clip_blocks(rows, x, 4); }, by_row, 1e-4);
  const Slopes clipped = slopes([&](auto& x) { return clip_blocks(x, ratio, 4); }, rows, 12, 1e-4);
  BOOST_TEST(std::abs(clipped.by_autograd / clipped.by_difference - 1) < 0.05);
  const at::Tensor cos = random({70, 2}, 9), sin = random({70, 2}, 10);
  CHECK_GRADIENT(
      "rotary", [&](auto& x) { return rotate_pairs(x, cos, sin, 2); }, rows);
}

BOOST_AUTO_TEST_CASE(gradients_of_attention_loss_and_cayley_are_those_of_finite_differences) {
  const at::Tensor q = random({2 * 70, 4 * 6}, 1), k = random({2 * 70, 2 * 6}, 2),
                   v = random({2 * 70, 2 * 6}, 3);
  CHECK_GRADIENT(
      "queries", [&](auto& x) { return causal_attention(x, k, v, 2, 6); }, q);
  CHECK_GRADIENT(
      "keys", [&](auto& x) { return causal_attention(q, x, v, 2, 6); }, k);
  CHECK_GRADIENT(
      "values", [&](auto& x) { return causal_attention(q, k, x, 2, 6); }, v);
  const at::Tensor head = random({9, 24}, 4);
  at::Tensor ids = at::empty({2 * 70}, at::kLong);
  for (int64_t i = 0; i < ids.numel(); ++i) ids.data_ptr<int64_t>()[i] = i * i % 9;
  const auto loss = [&](auto& x) { return next_token_loss(x, head, ids, 2); };
  CHECK_GRADIENT("loss", loss, q);
  const auto as_double = [](auto& x) { return cayley(x.to(at::kDouble)).to(at::kFloat); };
  CHECK_GRADIENT("cayley", as_double, random({6, 6}, 5));
  // The control: the gradient of another function.
  const Slopes wrong = slopes(
      [&](auto& x) { return x.requires_grad() ? hadamard_map(x, 24, 1) : hadamard_map(x, 12, 1); },
      q, 6);
  BOOST_TEST(!wrong.agree());
}

BOOST_AUTO_TEST_CASE(matrices_stay_orthogonal) {
  constexpr int64_t n = 24;
  const auto distance = [](const Matrix64& m) {
    double most = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < n; ++l) sum += m[size_t(i * n + l)] * m[size_t(j * n + l)];
        most = std::max(most, std::abs(sum - double(i == j)));
      }
    return most;
  };
  Matrix64 R = random_orthogonal(n, 3);
  BOOST_TEST(distance(R) < 1e-14);
  const Matrix64 G = random_orthogonal(n, 4);
  const Matrix64 start = R;
  stiefel_step(R, G, n, 1.5);
  BOOST_TEST(distance(R) < 0.05);  // the retraction's iteration ends after five rounds
  BOOST_TEST((R != start));
  // Down the slope: Σ G·R falls.
  double before = 0, after = 0;
  for (size_t i = 0; i < R.size(); ++i) before += G[i] * start[i], after += G[i] * R[i];
  BOOST_TEST(after < before);
  const at::Tensor q = cayley(random({n, n}, 5).to(at::kDouble));
  BOOST_TEST(distance({q.data_ptr<double>(), q.data_ptr<double>() + n * n}) < 1e-13);
  Matrix64 tilted = start;
  tilted[5] += 0.01;
  BOOST_TEST(distance(tilted) > 1e-3);  // the control
}

// Sums of binary32 in another order; activations of the fixtures are below 30.
constexpr float same_layer = 1e-4f;

BOOST_AUTO_TEST_CASE(the_learned_layer_without_quantizers_is_the_layer) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto source = open_checkpoint(*data / family);
    const PtqModel model = read_model(*source);
    LayerForward forward(model);
    const LearnedLayer learned(model.description, 32);
    at::Tensor x = random({2 * 32, model.description.width}, 1), y = x.clone();
    for (const LayerWeights& layer : model.layers) {
      const at::Tensor mine = learned.run(layer, {}, {}, x, 2);
      for (int64_t s = 0; s < 2; ++s) {
        at::Tensor rows = x.narrow(0, s * 32, 32).clone();
        forward.run(layer, rows);
        y.narrow(0, s * 32, 32).copy_(rows);
      }
      BOOST_TEST(largest_difference(mine, y) < same_layer, family);
      x = y.clone();
    }
    // The control: as one sequence of twice the length.
    const at::Tensor joined =
        LearnedLayer(model.description, 64).run(model.layers[0], {}, {}, x, 1);
    BOOST_TEST(largest_difference(joined, learned.run(model.layers[0], {}, {}, x, 2)) >
               10 * same_layer);
  }
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_layer_is_that_of_finite_differences) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto source = open_checkpoint(*data / family);
    const PtqModel model = read_model(*source);
    const LearnedLayer learned(model.description, 20);
    const LayerWeights& layer = model.layers[1];
    CHECK_GRADIENT(
        family, [&](auto& x) { return learned.run(layer, {}, {}, x, 2); },
        random({2 * 20, model.description.width}, 1));
    const at::Tensor x = random({2 * 20, model.description.width}, 2);
    for (const Linear linear : all_linears)
      CHECK_GRADIENT(
          family << " " << name_of(linear),
          [&](auto& w) {
            LayerWeights changed = layer;
            changed[linear].weight = w;
            return learned.run(changed, {}, {}, x, 2);
          },
          layer[linear].weight, 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(only_what_is_shared_in_parts_runs_on_all_threads) {
  const int before = threads();
  set_threads(3);
  const auto in_a_region = [] {
    int count = 0;
#pragma omp parallel
#pragma omp single
    count = omp_get_num_threads();
    return count;
  };
  BOOST_TEST(in_a_region() == 3);  // the control
  {
    const OneThread one;
    BOOST_TEST(in_a_region() == 1);
    {
      const AllThreads all;
      BOOST_TEST(in_a_region() == 3);
    }
    BOOST_TEST(in_a_region() == 1);
  }
  BOOST_TEST(threads() == 3);
  set_threads(before);
}

BOOST_AUTO_TEST_CASE(quantizers_count_as_the_identity_on_the_way_back) {
  const Recipe recipe = parse_recipe("w4a4");
  const at::Tensor x = random({3, 64}, 1).set_requires_grad(true);
  const at::Tensor y = straight_through(x, recipe.activations);
  BOOST_TEST(largest_difference(y, x) > 0.01);
  const at::Tensor g = random({3, 64}, 2);
  y.backward(g);
  BOOST_TEST(largest_difference(x.grad(), g) == 0);
}

BOOST_AUTO_TEST_CASE(adamw_takes_the_steps_of_its_paper) {
  at::Tensor x = at::zeros({2}, at::kDouble);
  x.data_ptr<double>()[0] = 1;
  x.data_ptr<double>()[1] = -2;
  x.set_requires_grad(true);
  AdamW adam({{x, 2}}, 0.1);
  double value[2] = {1, -2}, mean[2] = {}, square[2] = {};
  for (int step = 1; step <= 3; ++step) {
    (x * x).sum().backward();
    adam.step(0.01);
    for (int i = 0; i < 2; ++i) {
      const double g = 2 * value[i];
      mean[i] = 0.9 * mean[i] + 0.1 * g;
      square[i] = 0.999 * square[i] + 0.001 * g * g;
      value[i] -= 0.02 * 0.1 * value[i];
      value[i] -= 0.02 * mean[i] / (1 - std::pow(0.9, step)) /
                  (std::sqrt(square[i] / (1 - std::pow(0.999, step))) + 1e-8);
      BOOST_TEST(std::abs(x.data_ptr<double>()[i] - value[i]) < 1e-12);
    }
  }
  BOOST_TEST(cosine_rate(5, 1, 0, 10) == 5);
  BOOST_TEST(std::abs(cosine_rate(5, 1, 5, 10) - 3) < 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()
