// SpinQuant (Liu et al., arXiv 2405.16406): the rotation R1 of the stream of residual sums and one
// of the heads of values, R2, in each layer, learned by the loss of the language model on the
// Stiefel manifold and folded into weights; down's input turned by a Hadamard matrix on line (R4),
// queries and keys too where the recipe quantizes the cache (R3).

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "emu/philox.h"
#include "golden/models/hadamard.h"
#include "ptq/learning/adamw.h"
#include "ptq/learning/functions.h"
#include "ptq/learning/learned_layer.h"
#include "ptq/learning/learning_report.h"
#include "ptq/learning/learning_state.h"
#include "ptq/learning/orthogonal.h"
#include "ptq/learning/threads.h"
#include "ptq/methods/methods.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

constexpr int64_t steps_between_states = 10;

std::vector<MethodOption> options(std::string_view weights) {
  return {{.name = "lr",
           .kind = Kind::number,
           .default_value = "1.5",
           .least = 0,
           .most = 1000,
           .what = "rate of the first step; it falls to 0 as a cosine"},
          {.name = "steps",
           .kind = Kind::integer,
           .default_value = "100",
           .least = 0,
           .most = 1 << 20,
           .what = "of gradient descent"},
          {.name = "batch",
           .kind = Kind::integer,
           .default_value = "8",
           .least = 1,
           .most = 4096,
           .what = "samples of the calibration in a step, at most all"},
          {.name = "weights",
           .kind = Kind::flag,
           .default_value = weights,
           .what = "learn under the recipe's quantizers of weights too, not of activations alone"}};
}

RecipeSides sides(const OptionValues& options) {
  return {.weights = options.flag("weights"), .activations = true, .kv = true, .attention = true};
}

at::Tensor leaf_of(const Matrix64& m, int64_t n) {
  at::Tensor x = at::empty({n, n}, at::kFloat);
  std::ranges::transform(m, x.data_ptr<float>(), [](double value) { return float(value); });
  return x.set_requires_grad(true);
}

Matrix64 gradient_of(const at::Tensor& leaf) {
  const at::Tensor g = leaf.grad().contiguous();
  return {g.data_ptr<float>(), g.data_ptr<float>() + g.numel()};
}

at::Tensor as_tensor(const Matrix64& m) {
  at::Tensor x = at::empty({int64_t(m.size())}, at::kDouble);
  std::memcpy(x.data_ptr(), m.data(), m.size() * sizeof(double));
  return x;
}

class Learner {
 public:
  // Norms are folded, what is fixed is in the model already.
  Learner(const PtqModel& model, const MethodContext& context)
      : model_(model),
        context_(context),
        state_(context, "spinquant"),
        layer_(model.description, context.calibration->length),
        D_(model.description.width),
        d_(model.description.head_dim),
        batch_(std::min<int64_t>(context.options.integer("batch"),
                                 int64_t(context.calibration->samples.size()))) {
    R1 = random_hadamard_matrix(D_, context.seed);
    for (size_t i = 0; i < model.layers.size(); ++i)
      R2.push_back(random_hadamard_matrix(d_, context.seed + 1 + i));
    maps_.places[size_t(Place::down)] = [n = model.width(Place::down)](const at::Tensor& x) {
      return hadamard_map(x, n, 1);
    };
    if (context.recipe.kv.conversion)
      maps_.queries = maps_.keys = [d = d_](const at::Tensor& x) { return hadamard_map(x, d, 1); };
  }

  void run() {
    const int64_t steps = context_.options.integer("steps");
    int64_t step = resume();
    const int64_t resumed = step;
    for (; step < steps; ++step) {
      const double rate = cosine_rate(context_.options.number("lr"), 0, step, steps);
      losses_.push_back(descend(step, rate));
      if ((step + 1) % steps_between_states == 0 && step + 1 < steps) keep();
      context_.report("spinquant", step + 1, steps, fmt::format("loss {:.4f}", losses_.back()));
    }
    if (step > resumed) keep();
    // The retraction is an iteration: what it leaves is made orthogonal to the last bit.
    orthonormalise_rows(R1, D_);
    for (Matrix64& r : R2) orthonormalise_rows(r, d_);
    context_.record["losses"] = losses_;
    context_.record["samples_of_a_step"] = batch_;
    note_left_out(context_.recipe, context_.record);
  }

  Matrix64 R1;               // (D,D)
  std::vector<Matrix64> R2;  // by layer (d,d)

 private:
  int64_t resume() {
    auto kept = state_.read("rotations");
    if (!kept) return 0;
    const auto to_matrix = [&](const std::string& name, Matrix64& m) {
      const at::Tensor& x = kept->at(name);
      std::memcpy(m.data(), x.data_ptr(), m.size() * sizeof(double));
    };
    to_matrix("R1", R1);
    for (size_t i = 0; i < R2.size(); ++i) to_matrix("R2." + std::to_string(i), R2[i]);
    const at::Tensor& losses = kept->at("losses");
    losses_.assign(losses.data_ptr<double>(), losses.data_ptr<double>() + losses.numel());
    return int64_t(losses_.size());
  }

  void keep() const {
    LearningState::Tensors tensors{{"R1", as_tensor(R1)}, {"losses", as_tensor(losses_)}};
    for (size_t i = 0; i < R2.size(); ++i) tensors["R2." + std::to_string(i)] = as_tensor(R2[i]);
    state_.write("rotations", tensors);
  }

  // The samples of a step: all in an order of their own, again and again.
  at::Tensor batch(int64_t step) const {
    const auto& samples = context_.calibration->samples;
    const auto count = int64_t(samples.size());
    at::Tensor ids = at::empty({batch_ * context_.calibration->length}, at::kLong);
    for (int64_t i = 0; i < batch_; ++i) {
      const int64_t drawn = step * batch_ + i;
      const std::vector<int64_t> order =
          permutation(count, context_.seed + uint64_t(drawn / count));
      std::ranges::copy(samples[size_t(order[size_t(drawn % count)])],
                        ids.data_ptr<int64_t>() + i * context_.calibration->length);
    }
    return ids;
  }

  // The layer's weights as they are under the rotations; norms have none.
  LayerWeights rotated(size_t index, const at::Tensor& r1, const at::Tensor& r2) const {
    const LayerWeights& layer = model_.layers[index];
    LayerWeights result;
    result.prefix = layer.prefix;
    for (const Linear linear : {Linear::q, Linear::k, Linear::gate, Linear::up})
      result[linear] = {multiply(layer[linear].weight, false, r1, false), layer[linear].bias};
    // Heads of v's output: columns of its transpose.
    const LinearWeights& v = layer[Linear::v];
    const at::Tensor columns = v.weight.t().contiguous();
    result[Linear::v].weight = multiply(
        multiply(columns.view({-1, d_}), false, r2, false).view(columns.sizes()), true, r1, false);
    if (v.bias.defined())
      result[Linear::v].bias = multiply(v.bias.view({-1, d_}), false, r2, false).view({-1});
    const LinearWeights& o = layer[Linear::o];
    result[Linear::o].weight =
        multiply(r1, true,
                 multiply(o.weight.view({-1, d_}), false, r2, false).view(o.weight.sizes()), false);
    result[Linear::down].weight = multiply(r1, true, layer[Linear::down].weight, false);
    for (const Linear linear : {Linear::o, Linear::down})
      if (const at::Tensor& bias = layer[linear].bias; bias.defined())
        result[linear].bias = multiply(bias.view({1, -1}), false, r1, false).view({-1});
    return result;
  }

  at::Tensor run_layer(size_t index, const at::Tensor& x, const at::Tensor& r1,
                       const at::Tensor& r2) const {
    return layer_.run(rotated(index, r1, r2), maps_,
                      quantizers_of(context_.recipe, model_.layers[index]), x, batch_);
  }

  // x (B·T,D) after the last layer → the loss. The head is not rounded here: the stream is turned
  // back in front of it, so that it needs no copy.
  at::Tensor loss_of(const at::Tensor& x, const at::Tensor& r1, const at::Tensor& ids) const {
    const at::Tensor y = multiply(unit_rms(x, model_.description.norm_eps), false, r1, true);
    return next_token_loss(y, model_.lm_head, ids, batch_);
  }

  at::Tensor embedded(const at::Tensor& ids) const {
    at::Tensor x = at::empty({ids.numel(), D_}, at::kFloat);
    for (int64_t t = 0; t < ids.numel(); ++t)
      std::memcpy(x.data_ptr<float>() + t * D_,
                  model_.embedding.data_ptr<float>() + ids.data_ptr<int64_t>()[t] * D_,
                  size_t(D_) * sizeof(float));
    return x;
  }

  // One step: forward keeps the stream in front of each layer alone; backward runs each layer once
  // more with its graph.
  double descend(int64_t step, double rate) {
    const at::Tensor r1 = leaf_of(R1, D_);
    std::vector<at::Tensor> r2;
    for (const Matrix64& r : R2) r2.push_back(leaf_of(r, d_));
    double loss = 0;
    {
      const OneThread one;
      const at::Tensor ids = batch(step), start = embedded(ids);
      std::vector<at::Tensor> streams;
      {
        const at::NoGradGuard plain;
        streams.push_back(multiply(start, false, r1, false));
        for (size_t i = 0; i < model_.layers.size(); ++i)
          streams.push_back(run_layer(i, streams.back(), r1, r2[i]));
      }
      at::Tensor x = streams.back().set_requires_grad(true);
      const at::Tensor end = loss_of(x, r1, ids);
      loss = double(end.item<float>());
      require_finite_loss(loss,
                          fmt::format("spinquant, step {} at a rate of {:.3g}", step + 1, rate));
      end.backward();
      for (size_t i = model_.layers.size(); i-- > 0;) {
        const at::Tensor gradient = x.grad();
        streams.pop_back();
        x = streams.back().set_requires_grad(true);
        run_layer(i, x, r1, r2[i]).backward(gradient);
      }
      multiply(start, false, r1, false).backward(x.grad());
    }
    turn(R1, gradient_of(r1), D_, rate, step, 0);
    for (size_t i = 0; i < R2.size(); ++i) turn(R2[i], gradient_of(r2[i]), d_, rate, step, 1 + i);
    return loss;
  }

  // A step, and now and then (1 of 101) the rows made orthonormal before it.
  void turn(Matrix64& R, const Matrix64& G, int64_t n, double rate, int64_t step, size_t which) {
    const uint64_t index = uint64_t(step) * (R2.size() + 1) + which;
    if (philox::word(context_.seed ^ 0x7370696e, index) % 101 == 0) orthonormalise_rows(R, n);
    stiefel_step(R, G, n, rate);
  }

  const PtqModel& model_;
  const MethodContext& context_;
  LearningState state_;
  LearnedLayer layer_;
  LayerMaps maps_;
  int64_t D_, d_, batch_;
  std::vector<double> losses_;
};

void apply(PtqModel& model, const MethodContext& context) {
  const int64_t down = model.width(Place::down), heads = model.description.heads,
                kv_heads = model.description.kv_heads, d = model.description.head_dim;
  for (const int64_t n : {model.description.width, d, down}) hadamard_order(n);
  fold_norms(model);
  for (LayerWeights& layer : model.layers) {
    add_hadamard(model, layer, Place::down, down);
    if (context.recipe.kv.conversion) add_head_hadamard(model, layer);
  }
  Learner learner(model, context);
  learner.run();
  rotate_residual(model, dense_map(learner.R1, model.description.width));
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerWeights& layer = model.layers[i];
    map_outputs(layer[Linear::v], blockwise_map(learner.R2[i], d, kv_heads));
    map_inputs(layer[Linear::o].weight, blockwise_map(learner.R2[i], d, heads));
  }
}

}  // namespace

const ModelChange spinquant{
    {"spinquant", {.calibration = true, .seed = true}, sides, [] { return options("true"); }},
    true,
    apply};
// In front of GPTQ the paper learns with weights as they are.
const ModelChange spinquant_activations{{"spinquant-activations",
                                         {.calibration = true, .seed = true},
                                         sides,
                                         [] { return options("false"); }},
                                        true,
                                        apply};

}  // namespace mxref::methods
