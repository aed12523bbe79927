// AWQ (Lin et al., arXiv 2306.00978): the scale of a channel is a power of its mean magnitude, the
// power by search over the error of what comes out. norm → q, k, v; v → o where every query head
// has its own value head; norm → gate, up; up → down. Its clipping is clipped.cc's.

#include <algorithm>
#include <cmath>
#include <limits>

#include "emu/kernels/parts.h"
#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/calibration_stream.h"
#include "ptq/gptq.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

constexpr double least_scale = 1e-4;

std::vector<MethodOption> options() {
  return {{.name = "grid",
           .kind = Kind::integer,
           .default_value = "20",
           .least = 1,
           .most = 100,
           .what = "powers that are tried, 0 to 1 in equal steps, 1 left out"},
          {.name = "search_tokens",
           .kind = Kind::integer,
           .default_value = "65536",
           .least = 1,
           .most = 1 << 24,
           .what = "of the calibration, on which errors are measured"}};
}

// Σ|x_j| over rows of x (T,K).
void add_magnitudes(const at::Tensor& x, std::vector<double>& sums) {
  const auto* values = x.data_ptr<float>();
  const int64_t K = x.size(1);
  for (int64_t t = 0; t < x.size(0); ++t)
    for (int64_t k = 0; k < K; ++k) sums[size_t(k)] += std::abs(double(values[t * K + k]));
}

// mean^r, and the same distance from 1 at both ends.
std::vector<double> power_scales(const std::vector<double>& mean, double r) {
  std::vector<double> s(mean.size());
  std::ranges::transform(mean, s.begin(),
                         [&](double x) { return std::max(std::pow(x, r), least_scale); });
  const auto [least, most] = std::ranges::minmax(s);
  const double middle = std::sqrt(least * most);
  for (double& value : s) value /= middle;
  return s;
}

// Q(w·s)/s, or w itself where the recipe leaves it.
at::Tensor scaled_and_rounded(const at::Tensor& w, const std::vector<double>& s,
                              const std::optional<Conversion>& conversion) {
  if (!conversion) return w;
  const int64_t N = w.size(0), K = w.size(1);
  std::vector<float> scaled(values_of(w).begin(), values_of(w).end());
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k)
      scaled[size_t(n * K + k)] = float(scaled[size_t(n * K + k)] * s[size_t(k)]);
  HostTensor result{{N, K}, dequantize(quantize(scaled, {N, K}, *conversion))};
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k)
      result.values[size_t(n * K + k)] = float(result.values[size_t(n * K + k)] / s[size_t(k)]);
  return to_tensor(std::move(result));
}

double squared_distance(const at::Tensor& a, const at::Tensor& b) {
  const auto x = values_of(a), y = values_of(b);
  constexpr int64_t part = 1 << 14;
  std::vector<double> sums((x.size() + part - 1) / part, 0.0);
  for_each_range(int64_t(x.size()), part, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      sums[size_t(begin / part)] += std::pow(double(x[size_t(i)]) - y[size_t(i)], 2);
  });
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

class Search {
 public:
  Search(PtqModel& model, const MethodContext& context)
      : model_(model),
        context_(context),
        stream_(model, *context.calibration),
        forward_(stream_.forward()),
        grid_(context.options.integer("grid")),
        searched_(std::clamp<int64_t>(
            context.options.integer("search_tokens") / context.calibration->length, 1,
            int64_t(context.calibration->samples.size()))) {}

  void run() {
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      run_layer(model_.layers[i]);
      context_.report("awq", int64_t(i) + 1, int64_t(model_.layers.size()));
    }
    context_.record["searched_tokens"] = searched_ * context_.calibration->length;
    context_.record["powers"] = powers_;
  }

 private:
  // What of each sample came in at the places, and where the halves of the layer began.
  struct Seen {
    std::vector<at::Tensor> qkv, gate_up;  // of the searched samples
    std::vector<double> mean_qkv, mean_o, mean_gate_up, mean_down;
    std::optional<Hessian> o, down;
  };

  bool scales_o() const { return model_.description.heads == model_.description.kv_heads; }

  void run_layer(LayerWeights& layer) {
    Seen seen = look(layer);
    // Errors behind attention and the gate need the half layer; those of o and down are quadratic.
    search(layer, Place::qkv, seen.mean_qkv, [&](const LayerWeights& tried) {
      return error_of(seen.qkv, attention_, [&](const at::Tensor& input) {
        return forward_.linear(tried, Linear::o, forward_.o_input(tried, input));
      });
    });
    if (scales_o()) search(layer, Place::o, seen.mean_o, quadratic(layer, Linear::o, *seen.o));
    search(layer, Place::gate_up, seen.mean_gate_up, [&](const LayerWeights& tried) {
      return error_of(seen.gate_up, mlp_, [&](const at::Tensor& input) {
        return forward_.linear(tried, Linear::down, forward_.down_input(tried, input));
      });
    });
    search(layer, Place::down, seen.mean_down, quadratic(layer, Linear::down, *seen.down));
  }

  // All samples through the layer.
  Seen look(const LayerWeights& layer) {
    Seen seen;
    attention_.clear();
    mlp_.clear();
    for (const auto& [mean, place] : {std::pair{&seen.mean_qkv, Place::qkv},
                                      {&seen.mean_o, Place::o},
                                      {&seen.mean_gate_up, Place::gate_up},
                                      {&seen.mean_down, Place::down}})
      mean->assign(size_t(model_.width(place)), 0.0);
    seen.o.emplace(model_.width(Place::o));
    seen.down.emplace(model_.width(Place::down));
    int64_t index = 0;
    for (at::Tensor& x : stream_.samples()) {
      const bool searched = index++ < searched_;
      const at::Tensor qkv = forward_.qkv_input(layer, x), o = forward_.o_input(layer, qkv);
      const at::Tensor attention = forward_.linear(layer, Linear::o, o);
      forward_.add(x, attention);
      const at::Tensor gate_up = forward_.gate_up_input(layer, x),
                       down = forward_.down_input(layer, gate_up);
      const at::Tensor mlp = forward_.linear(layer, Linear::down, down);
      forward_.add(x, mlp);
      add_magnitudes(qkv, seen.mean_qkv);
      add_magnitudes(o, seen.mean_o);
      add_magnitudes(gate_up, seen.mean_gate_up);
      add_magnitudes(down, seen.mean_down);
      if (!searched) continue;
      if (scales_o()) seen.o->add(values_of(o));
      seen.down->add(values_of(down));
      seen.qkv.push_back(qkv);
      seen.gate_up.push_back(gate_up);
      attention_.push_back(attention);
      mlp_.push_back(mlp);
    }
    for (auto* mean : {&seen.mean_qkv, &seen.mean_o, &seen.mean_gate_up, &seen.mean_down})
      for (double& value : *mean) value /= double(context_.calibration->tokens());
    return seen;
  }

  // Σ |f(input) - expected|² over the searched samples.
  template <typename F>
  double error_of(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& expected,
                  F f) {
    double sum = 0;
    for (size_t i = 0; i < inputs.size(); ++i) sum += squared_distance(f(inputs[i]), expected[i]);
    return sum;
  }

  // The error of one linear layer's output, from its inputs' products alone.
  std::function<double(const LayerWeights&)> quadratic(const LayerWeights& layer, Linear linear,
                                                       const Hessian& hessian) {
    const at::Tensor original = layer[linear].weight;
    auto h = std::make_shared<std::vector<double>>(hessian.mean());
    return [original, h, linear](const LayerWeights& tried) {
      return quadratic_error(values_of(original), values_of(tried[linear].weight), original.size(0),
                             *h);
    };
  }

  void search(LayerWeights& layer, Place place, const std::vector<double>& mean,
              const std::function<double(const LayerWeights&)>& error) {
    double least = std::numeric_limits<double>::infinity(), best = 0;
    for (int64_t i = 0; i < grid_; ++i) {
      const double r = double(i) / double(grid_);
      const std::vector<double> s = power_scales(mean, r);
      LayerWeights tried = layer;
      for (const Linear linear : linears_at(place))
        tried[linear].weight = scaled_and_rounded(
            layer[linear].weight, s,
            linear_recipe(context_.recipe, layer.module(linear)).weights.conversion);
      const double e = error(tried);
      if (e >= least) continue;
      least = e;
      best = r;
    }
    powers_.push_back(best);
    scale_channels(model_, layer, place, power_scales(mean, best));
  }

  PtqModel& model_;
  const MethodContext& context_;
  CalibrationStream stream_;
  LayerForward& forward_;
  int64_t grid_, searched_;
  std::vector<at::Tensor> attention_, mlp_;  // outputs of the halves, of the searched samples
  std::vector<double> powers_;               // by layer: qkv, (o,) gate_up, down
};

}  // namespace

const ModelChange awq{
    {"awq", {.calibration = true}, always<RecipeSides{.weights = true}>, options},
    false,
    [](PtqModel& model, const MethodContext& context) { Search(model, context).run(); }};

}  // namespace mxref::methods
