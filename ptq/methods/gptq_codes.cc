// Codes by GPTQ (ptq/gptq.h), layer by layer: inputs come through the layers before, whose weights
// are what their codes stand for; activations are not quantized.

#include <algorithm>
#include <chrono>
#include <optional>

#include "emu/error.h"
#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/calibration_stream.h"
#include "ptq/gptq.h"
#include "ptq/methods/methods.h"
#include "ptq/transforms/fold.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

// The parts differ in their defaults alone.
std::vector<MethodOption> options(std::string_view sequential, std::string_view order,
                                  std::string_view scales, std::string_view scale_turns) {
  return {
      {.name = "damping",
       .kind = Kind::number,
       .default_value = "0.01",
       .least = 0,
       .most = 1,
       .what = "added to the Hessian's diagonal, of its mean"},
      {.name = "activation_order",
       .kind = Kind::flag,
       .default_value = order,
       .what = "columns by descending diagonal of the Hessian"},
      {.name = "scales",
       .kind = Kind::choice,
       .default_value = scales,
       .choices = "dynamic static",
       .what = "of a block: from the weights as they are when it comes up, or as they were"},
      {.name = "scale_turns",
       .kind = Kind::integer,
       .default_value = scale_turns,
       .least = 0,
       .most = 1000,
       .what = "most turns of a search for nvfp4's block and tensor scales by squared error"},
      {.name = "sequential",
       .kind = Kind::flag,
       .default_value = sequential,
       .what = "q, k, v, then o, then gate, up, then down, each behind what the others became"}};
}

struct Tally {
  double loss = 0, nearest_loss = 0, forward_seconds = 0, hessian_seconds = 0, gptq_seconds = 0;
  int64_t retries = 0, dead_columns = 0, nearest_rows = 0, matrices = 0, fitted_scales = 0;
  double most_damping = 0;
};

class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class ModelLoop {
 public:
  ModelLoop(PtqModel& model, const MethodContext& context)
      : model_(model),
        context_(context),
        settings_{.damping = context.options.number("damping"),
                  .activation_order = context.options.flag("activation_order"),
                  .static_scales = context.options.choice("scales") == "static",
                  .scale_turns = int(context.options.integer("scale_turns"))},
        stream_(model, *context.calibration),
        forward_(stream_.forward()) {}

  ModelCodes run() {
    check_rounding();
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      if (context_.options.flag("sequential"))
        run_sequential(model_.layers[i]);
      else
        run_at_once(model_.layers[i]);
      context_.report("gptq", int64_t(i) + 1, int64_t(model_.layers.size()));
    }
    run_head();
    context_.record.update({{"matrices", tally_.matrices},
                            {"loss", tally_.loss},
                            {"loss_of_nearest", tally_.nearest_loss},
                            {"retries", tally_.retries},
                            {"most_damping", tally_.most_damping},
                            {"dead_columns", tally_.dead_columns},
                            {"rows_kept_nearest", tally_.nearest_rows},
                            {"matrices_with_fitted_scales", tally_.fitted_scales},
                            {"irregular", irregular_},
                            {"seconds_of",
                             {{"forward", tally_.forward_seconds},
                              {"hessians", tally_.hessian_seconds},
                              {"gptq", tally_.gptq_seconds}}}});
    return std::move(codes_);
  }

 private:
  Hessian hessian(Place place) const { return Hessian(model_.width(place)); }

  template <typename F>
  at::Tensor forward(F compute) {
    const Stopwatch watch(tally_.forward_seconds);
    return compute();
  }
  void see(Hessian& hessian, const at::Tensor& input) {
    const Stopwatch watch(tally_.hessian_seconds);
    hessian.add(values_of(input));
  }

  // Each step's inputs as the steps before have become. The output of attention is kept for all
  // samples; what comes into down is computed twice.
  void run_sequential(LayerWeights& layer) {
    Hessian of_qkv = hessian(Place::qkv), of_o = hessian(Place::o),
            of_gate_up = hessian(Place::gate_up), of_down = hessian(Place::down);
    std::vector<at::Tensor>& samples = stream_.samples();
    for (const at::Tensor& x : samples)
      see(of_qkv, forward([&] { return forward_.qkv_input(layer, x); }));
    choose(layer, Place::qkv, of_qkv);
    std::vector<at::Tensor> mixed;
    for (const at::Tensor& x : samples) {
      mixed.push_back(
          forward([&] { return forward_.o_input(layer, forward_.qkv_input(layer, x)); }));
      see(of_o, mixed.back());
    }
    choose(layer, Place::o, of_o);
    for (size_t i = 0; i < samples.size(); ++i) {
      const at::Tensor input = forward([&] {
        forward_.add(samples[i], forward_.linear(layer, Linear::o, mixed[i]));
        return forward_.gate_up_input(layer, samples[i]);
      });
      mixed[i] = at::Tensor();
      see(of_gate_up, input);
    }
    choose(layer, Place::gate_up, of_gate_up);
    const auto down_input = [&](const at::Tensor& x) {
      return forward([&] { return forward_.down_input(layer, forward_.gate_up_input(layer, x)); });
    };
    for (const at::Tensor& x : samples) see(of_down, down_input(x));
    choose(layer, Place::down, of_down);
    for (at::Tensor& x : samples) {
      const at::Tensor input = down_input(x);
      forward([&] {
        forward_.add(x, forward_.linear(layer, Linear::down, input));
        return x;
      });
    }
  }

  // All inputs as the layer's unquantized weights give them; then the layer as it has become.
  void run_at_once(LayerWeights& layer) {
    std::vector<Hessian> hessians;
    for (const Place place : all_places) hessians.push_back(hessian(place));
    for (const at::Tensor& x : stream_.samples()) {
      at::Tensor sum = x.clone();
      const at::Tensor qkv = forward([&] { return forward_.qkv_input(layer, sum); });
      see(hessians[0], qkv);
      const at::Tensor o = forward([&] { return forward_.o_input(layer, qkv); });
      see(hessians[1], o);
      const at::Tensor gate_up = forward([&] {
        forward_.add(sum, forward_.linear(layer, Linear::o, o));
        return forward_.gate_up_input(layer, sum);
      });
      see(hessians[2], gate_up);
      see(hessians[3], forward([&] { return forward_.down_input(layer, gate_up); }));
    }
    for (const Place place : all_places) choose(layer, place, hessians[size_t(place)]);
    const Stopwatch watch(tally_.forward_seconds);
    stream_.run(layer);
  }

  std::optional<Conversion> conversion_of(const std::string& module) const {
    return linear_recipe(context_.recipe, module).weights.conversion;
  }

  // The loop rounds to nearest, ties to even, and nothing else.
  void check_rounding() const {
    for (const std::string& module : linear_modules(model_.description.layers))
      if (const auto conversion = conversion_of(module);
          conversion && conversion->rounding->name != "rne")
        throw UsageError("GPTQ rounds weights by 'rne' alone; the recipe wants '" +
                         std::string(conversion->rounding->name) + "' for " + module);
  }

  // Codes for the linear layers at a place, whose weights become what the codes stand for.
  void choose(LayerWeights& layer, Place place, const Hessian& hessian) {
    const Stopwatch watch(tally_.gptq_seconds);
    std::optional<std::vector<double>> h;
    for (const Linear linear : linears_at(place)) {
      const std::string module = layer.module(linear);
      const auto conversion = conversion_of(module);
      if (!conversion) continue;
      if (!h) h = hessian.mean();
      layer[linear].weight = bounded_weight(layer[linear], conversion->block);
      choose(module, layer[linear].weight, *conversion, *h);
    }
  }

  // What comes after all layers.
  void run_head() {
    const auto conversion = conversion_of(head_module);
    if (!conversion) return;
    Hessian hessian(model_.description.width);
    for (const at::Tensor& x : stream_.samples())
      see(hessian, forward([&] { return forward_.head_input(x); }));
    model_.untie();
    const Stopwatch watch(tally_.gptq_seconds);
    choose(head_module, model_.lm_head, *conversion, hessian.mean());
  }

  void choose(const std::string& module, at::Tensor& w, const Conversion& conversion,
              const std::vector<double>& h) {
    GptqResult result;
    try {
      result = mxref::gptq(values_of(w), w.size(0), h, conversion, settings_);
    } catch (const UsageError& error) {
      throw UsageError(module + ": " + error.what());
    }
    tally_.loss += result.loss;
    tally_.nearest_loss += result.nearest_loss;
    tally_.retries += result.retries;
    tally_.dead_columns += result.dead_columns;
    tally_.nearest_rows += result.nearest_rows;
    tally_.most_damping = std::max(tally_.most_damping, result.damping);
    tally_.fitted_scales += result.fitted_scales;
    ++tally_.matrices;
    if (result.retries > 0 || result.dead_columns > 0)
      irregular_.push_back({{"module", module},
                            {"retries", result.retries},
                            {"damping", result.damping},
                            {"dead_columns", result.dead_columns}});
    w = to_tensor({w.sizes().vec(), dequantize(result.codes)});
    codes_[module + ".weight"] = std::move(result.codes);
  }

  PtqModel& model_;
  const MethodContext& context_;
  GptqSettings settings_;
  CalibrationStream stream_;
  LayerForward& forward_;
  ModelCodes codes_;
  Tally tally_;
  // The matrices that were damped more, or have columns without an input.
  nlohmann::ordered_json irregular_ = nlohmann::ordered_json::array();
};

ModelCodes choose(PtqModel& model, const MethodContext& context) {
  return ModelLoop(model, context).run();
}

}  // namespace

// QuaRot's GPTQ, but for its scales, which it takes from weights that are no longer current.
const CodeChoice gptq{{"gptq",
                       {.calibration = true},
                       always<RecipeSides{.weights = true}>,
                       [] { return options("true", "false", "dynamic", "0"); }},
                      choose};
const CodeChoice mr_gptq{{"mr-gptq",
                          {.calibration = true},
                          always<RecipeSides{.weights = true}>,
                          [] { return options("false", "true", "static", "10"); }},
                         choose};

}  // namespace mxref::methods
