// SmoothQuant (Xiao et al., arXiv 2211.10438): s_j = max|X_j|^α / max|W_j|^(1-α); the norm in front
// is divided by s, the weights behind are multiplied. norm → q, k, v and norm → gate, up.

#include <algorithm>
#include <cmath>

#include "ptq/calibration_stream.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

constexpr double least_scale = 1e-5;

std::vector<MethodOption> options() {
  return {{.name = "alpha",
           .kind = MethodOption::Kind::number,
           .default_value = "0.5",
           .least = 0,
           .most = 1,
           .what = "how much of the activations' range goes into the weights"}};
}

std::vector<double> scales(const std::vector<double>& inputs, const LayerWeights& layer,
                           Place place, double alpha) {
  std::vector<double> weights(inputs.size(), 0.0);
  for (const Linear linear : linears_at(place)) add_largest(layer[linear].weight, weights);
  std::vector<double> s(inputs.size());
  for (size_t k = 0; k < s.size(); ++k)
    s[k] = std::max(std::pow(std::max(inputs[k], least_scale), alpha) /
                        std::pow(std::max(weights[k], least_scale), 1 - alpha),
                    least_scale);
  return s;
}

void apply(PtqModel& model, const MethodContext& context) {
  const double alpha = context.options.number("alpha");
  CalibrationStream stream(model, *context.calibration);
  const auto width = size_t(model.description.width);
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerWeights& layer = model.layers[i];
    std::vector<double> qkv(width, 0.0), gate_up(width, 0.0);
    for (at::Tensor& x : stream.samples())
      stream.forward().run(layer, x, [&](Place place, const at::Tensor& input) {
        if (place == Place::qkv) add_largest(input, qkv);
        if (place == Place::gate_up) add_largest(input, gate_up);
      });
    scale_channels(model, layer, Place::qkv, scales(qkv, layer, Place::qkv, alpha));
    scale_channels(model, layer, Place::gate_up, scales(gate_up, layer, Place::gate_up, alpha));
    context.report("smoothing", int64_t(i) + 1, int64_t(model.layers.size()));
  }
}

}  // namespace

const ModelChange smoothquant{
    {"smoothquant", {.calibration = true}, always<RecipeSides{}>, options}, false, apply};

}  // namespace mxref::methods
