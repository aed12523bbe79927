// FlatQuant (Sun et al., arXiv 2410.09426): in front of each linear layer an affine map, channel
// scales times a Kronecker product of two small matrices, learned layer by layer so that the
// quantized layer gives the output of the original on the original's inputs; with it bounds of
// weights by output row and of activations by tensor. In MX a bound changes codes beyond the
// bounded element only where it changes the block's scale, by a power of two; and no gradient sees
// that: straight through a quantizer only what is cut off counts.

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ptq/calibration_stream.h"
#include "ptq/learning/adamw.h"
#include "ptq/learning/affine_maps.h"
#include "ptq/learning/learning_report.h"
#include "ptq/learning/learning_state.h"
#include "ptq/learning/threads.h"
#include "ptq/methods/methods.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

constexpr double least_magnitude = 1e-5;

std::vector<MethodOption> options() {
  const auto flag = [](std::string_view name, std::string_view what) {
    return MethodOption{.name = name, .kind = Kind::flag, .default_value = "true", .what = what};
  };
  const auto number = [](std::string_view name, std::string_view value, double least, double most,
                         std::string_view what) {
    return MethodOption{.name = name,
                        .kind = Kind::number,
                        .default_value = value,
                        .least = least,
                        .most = most,
                        .what = what};
  };
  return {
      {.name = "epochs",
       .kind = Kind::integer,
       .default_value = "15",
       .least = 0,
       .most = 1 << 16,
       .what = "through the calibration, for each layer"},
      {.name = "batch",
       .kind = Kind::integer,
       .default_value = "4",
       .least = 1,
       .most = 4096,
       .what = "samples of the calibration in a step, the last of an epoch with what is left"},
      number("lr", "0.005", 0, 100, "rate of the first step; it falls as a cosine to 1e-3 of it"),
      number("clip_lr", "10", 0, 1e6, "the rate of bounds, in rates of the maps"),
      number("decay", "0.01", 0, 100, "of weights, by AdamW"),
      number("clip_start", "4", -20, 20, "bounds begin at its sigmoid, of the largest"),
      number("diag_alpha", "0.3", 0, 1, "channel scales begin at max|W|^(1-alpha)/max|X|^alpha"),
      flag("diag", "learn channel scales"),
      flag("weight_clip", "learn a bound for each output row of weights"),
      flag("activation_clip", "learn a bound for each tensor of activations")};
}

// The largest inputs of each place, by channel.
using Magnitudes = std::array<std::vector<double>, all_places.size()>;

class Learner {
 public:
  Learner(PtqModel& model, const MethodContext& context)
      : model_(model),
        context_(context),
        options_(context.options),
        state_(context, "flatquant"),
        stream_(model, *context.calibration),
        layer_(model.description, context.calibration->length) {}

  void run() {
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      const LayerQuantizers quantizers = quantizers_of(context_.recipe, model_.layers[i]);
      AffineMaps maps(model_, i, quantizers,
                      {.diagonals = options_.flag("diag"),
                       .weight_clips = options_.flag("weight_clip"),
                       .activation_clips = options_.flag("activation_clip"),
                       .clip_start = options_.number("clip_start")},
                      context_.seed);
      const std::vector<at::Tensor> inputs = stream_.samples();
      Magnitudes magnitudes;
      advance(model_.layers[i], magnitudes);
      for (const Place place : {Place::qkv, Place::gate_up, Place::down})
        maps.start_diagonal(place, scales(model_.layers[i], place, magnitudes[size_t(place)]));
      const std::string name = "layer-" + std::to_string(i);
      if (auto kept = state_.read(name)) {
        losses_.push_back(adopt(maps, *kept));
      } else {
        losses_.push_back(learn(i, maps, quantizers, inputs));
        keep(name, maps);
      }
      maps.fold(model_);
    }
    context_.record["losses"] = losses_;
    note_left_out(context_.recipe, context_.record);
  }

 private:
  // The stream goes through the original layer; what came in stays as it was.
  void advance(const LayerWeights& layer, Magnitudes& magnitudes) {
    for (const Place place : all_places)
      magnitudes[size_t(place)].assign(size_t(model_.width(place)), least_magnitude);
    for (at::Tensor& sample : stream_.samples()) {
      sample = sample.clone();
      stream_.forward().run(layer, sample, [&](Place place, const at::Tensor& input) {
        add_largest(input, magnitudes[size_t(place)]);
      });
    }
  }

  std::vector<double> scales(const LayerWeights& layer, Place place,
                             const std::vector<double>& inputs) const {
    const double alpha = options_.number("diag_alpha");
    std::vector<double> weights(inputs.size(), least_magnitude), s(inputs.size());
    for (const Linear linear : linears_at(place)) add_largest(layer[linear].weight, weights);
    for (size_t k = 0; k < s.size(); ++k)
      s[k] =
          std::max(std::pow(weights[k], 1 - alpha) / std::pow(inputs[k], alpha), least_magnitude);
    return s;
  }

  // The loss of the last epoch, mean over its samples.
  double learn(size_t index, const AffineMaps& maps, const LayerQuantizers& quantizers,
               const std::vector<at::Tensor>& inputs) {
    const OneThread one;
    std::vector<AdamW::Parameter> parameters;
    for (const auto& [name, value] : maps.maps()) parameters.push_back({value, 1});
    for (const auto& [name, value] : maps.clips())
      parameters.push_back({value, options_.number("clip_lr")});
    AdamW adam(std::move(parameters), options_.number("decay"));
    const auto count = int64_t(inputs.size()), epochs = options_.integer("epochs"),
               batch = options_.integer("batch"), steps = (count + batch - 1) / batch;
    double loss = 0;
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
      loss = 0;
      for (int64_t i = 0; i < steps; ++i) {
        const double first = options_.number("lr"),
                     rate = cosine_rate(first, 1e-3 * first, epoch * steps + i, epochs * steps);
        const int64_t samples = std::min(batch, count - i * batch);
        const double own = descend(maps, quantizers, inputs, i * batch, samples);
        require_finite_loss(own, fmt::format("flatquant, layer {}, step {} at a rate of {:.3g}",
                                             index, epoch * steps + i + 1, rate));
        loss += own * double(samples) / double(count);
        adam.step(rate);
      }
      context_.report("flatquant", int64_t(index) * epochs + epoch + 1,
                      int64_t(model_.layers.size()) * epochs,
                      fmt::format("layer {} loss {:.3g}", index, loss));
    }
    return loss;
  }

  // Gradients of the error of samples first … first+batch-1, divided by itself; returns it.
  double descend(const AffineMaps& maps, const LayerQuantizers& quantizers,
                 const std::vector<at::Tensor>& inputs, int64_t first, int64_t batch) {
    const auto joined = [&](const std::vector<at::Tensor>& samples) {
      return at::cat(
          std::vector<at::Tensor>(samples.begin() + first, samples.begin() + first + batch));
    };
    const AffineMaps::Quantized layer = maps.evaluate();
    const at::Tensor y = layer_.run(layer.weights, layer.maps, quantizers, joined(inputs), batch);
    const at::Tensor error = (y - joined(stream_.samples())).square().mean();
    const auto loss = double(error.item<float>());
    if (loss > 0) (error / loss).backward();
    return loss;
  }

  void keep(const std::string& name, const AffineMaps& maps) const {
    LearningState::Tensors tensors;
    for (const auto& part : {maps.maps(), maps.clips()})
      for (const auto& [key, value] : part) tensors[key] = value.detach();
    tensors["loss"] = at::full({}, losses_.back(), at::kDouble);
    state_.write(name, tensors);
  }

  double adopt(const AffineMaps& maps, LearningState::Tensors& kept) const {
    for (const auto& part : {maps.maps(), maps.clips()})
      for (const auto& [key, value] : part) value.detach().copy_(kept.at(key));
    return kept.at("loss").item<double>();
  }

  PtqModel& model_;
  const MethodContext& context_;
  const OptionValues& options_;
  LearningState state_;
  CalibrationStream stream_;
  LearnedLayer layer_;
  std::vector<double> losses_;
};

void apply(PtqModel& model, const MethodContext& context) { Learner(model, context).run(); }

}  // namespace

const ModelChange flatquant{
    {"flatquant",
     {.calibration = true, .seed = true},
     always<RecipeSides{.weights = true, .activations = true, .kv = true, .attention = true}>,
     options},
    true,
    apply};

}  // namespace mxref::methods
