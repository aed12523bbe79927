// Weights clipped by block, as AWQ does behind its scales (Lin et al., arXiv 2306.00978): the bound
// by search over the error of the block's own part of the output.

#include <algorithm>
#include <cmath>
#include <limits>

#include "emu/kernels/parts.h"
#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "ptq/calibration_stream.h"
#include "ptq/methods/methods.h"

namespace mxref::methods {
namespace {

using Kind = MethodOption::Kind;

std::vector<MethodOption> options() {
  return {{.name = "clip_steps",
           .kind = Kind::integer,
           .default_value = "10",
           .least = 1,
           .most = 20,
           .what = "bounds that are tried: 1 - i/20 of the block's largest, i rising from 0"},
          {.name = "clip_tokens",
           .kind = Kind::integer,
           .default_value = "512",
           .least = 1,
           .most = 1 << 20,
           .what = "of the calibration, evenly taken, on which errors are measured"}};
}

// Σ x·xᵀ of each block of x's columns: (blocks, block, block).
class BlockProducts {
 public:
  BlockProducts(int64_t K, int64_t block) : K_(K), block_(block) {
    sums_.assign(size_t((K + block - 1) / block * block * block), 0.0);
  }
  void add(const float* x) {
    for (int64_t k = 0; k < K_; k += block_)
      for (int64_t i = 0; i < std::min(block_, K_ - k); ++i)
        for (int64_t j = 0; j < std::min(block_, K_ - k); ++j)
          sums_[size_t((k + i) * block_ + j)] += double(x[k + i]) * x[k + j];
  }
  // d·(Σ x·xᵀ)·dᵀ of the block that begins at column k.
  double error(const float* d, int64_t k) const {
    const int64_t count = std::min(block_, K_ - k);
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      double row = 0;
      for (int64_t j = 0; j < count; ++j) row += sums_[size_t((k + i) * block_ + j)] * d[j];
      sum += row * d[i];
    }
    return sum;
  }

 private:
  int64_t K_, block_;
  std::vector<double> sums_;
};

// w (N,K) with each block bounded at the best of the fractions of its largest magnitude.
MxTensor clip_and_round(std::span<const float> w, int64_t N, int64_t K,
                        const Conversion& conversion, const BlockProducts& products,
                        int64_t steps) {
  const int64_t block = conversion.block;
  MxTensor best = quantize(w, {N, K}, conversion);
  const int64_t blocks = best.blocks_per_row();
  std::vector<double> least(size_t(N * blocks), std::numeric_limits<double>::infinity());
  for (int64_t step = 0; step < steps; ++step) {
    const float ratio = 1 - float(step) / 20;
    std::vector<float> clipped(w.begin(), w.end());
    for (int64_t n = 0; n < N; ++n)
      for (int64_t k = 0; k < K; k += block) {
        float* const x = &clipped[size_t(n * K + k)];
        const int64_t count = std::min(block, K - k);
        float bound = 0;
        for (int64_t i = 0; i < count; ++i) bound = std::max(bound, std::abs(x[i]));
        bound *= ratio;
        for (int64_t i = 0; i < count; ++i) x[i] = std::clamp(x[i], -bound, bound);
      }
    MxTensor tried = quantize(clipped, {N, K}, conversion);
    tried.tensor_scales = best.tensor_scales;
    const std::vector<float> values = dequantize(tried);
    for_each_range(N, 16, [&](int64_t begin, int64_t end) {
      std::vector<float> d(static_cast<size_t>(block));
      for (int64_t n = begin; n < end; ++n)
        for (int64_t b = 0; b < blocks; ++b) {
          const int64_t k = b * block, count = std::min(block, K - k), at = n * K + k;
          for (int64_t i = 0; i < count; ++i)
            d[size_t(i)] = w[size_t(at + i)] - values[size_t(at + i)];
          const double error = products.error(d.data(), k);
          if (error >= least[size_t(n * blocks + b)]) continue;
          least[size_t(n * blocks + b)] = error;
          std::copy_n(tried.codes.begin() + at, count, best.codes.begin() + at);
          best.scales[size_t(n * blocks + b)] = tried.scales[size_t(n * blocks + b)];
        }
    });
  }
  return best;
}

ModelCodes choose(PtqModel& model, const MethodContext& context) {
  CalibrationStream stream(model, *context.calibration);
  LayerForward& forward = stream.forward();
  const int64_t steps = context.options.integer("clip_steps");
  const int64_t stride =
      std::max<int64_t>(context.calibration->tokens() / context.options.integer("clip_tokens"), 1);
  ModelCodes codes;
  for (size_t l = 0; l < model.layers.size(); ++l) {
    const LayerWeights& layer = model.layers[l];
    std::vector<std::vector<float>> rows(all_places.size());
    int64_t token = 0;
    for (at::Tensor& x : stream.samples()) {
      std::array<at::Tensor, all_places.size()> inputs;
      inputs[0] = forward.qkv_input(layer, x);
      inputs[1] = forward.o_input(layer, inputs[0]);
      forward.add(x, forward.linear(layer, Linear::o, inputs[1]));
      inputs[2] = forward.gate_up_input(layer, x);
      inputs[3] = forward.down_input(layer, inputs[2]);
      forward.add(x, forward.linear(layer, Linear::down, inputs[3]));
      for (int64_t t = 0; t < x.size(0); ++t, ++token)
        if (token % stride == 0)
          for (size_t p = 0; p < inputs.size(); ++p) {
            const float* row = inputs[p].data_ptr<float>() + t * inputs[p].size(1);
            rows[p].insert(rows[p].end(), row, row + inputs[p].size(1));
          }
    }
    for (const Linear linear : all_linears) {
      const std::string module = layer.module(linear);
      const auto conversion = linear_recipe(context.recipe, module).weights.conversion;
      if (!conversion) continue;
      const at::Tensor& w = layer[linear].weight;
      const int64_t N = w.size(0), K = w.size(1);
      // What goes into scores is not clipped; a tensor scale is one for all blocks.
      if (linear == Linear::q || linear == Linear::k || conversion->format->has_tensor_scale()) {
        codes[module + ".weight"] = quantize(values_of(w), {N, K}, *conversion);
        continue;
      }
      BlockProducts products(K, conversion->block);
      const std::vector<float>& x = rows[size_t(place_of(linear))];
      for (size_t at = 0; at < x.size(); at += size_t(K)) products.add(&x[at]);
      codes[module + ".weight"] = clip_and_round(values_of(w), N, K, *conversion, products, steps);
    }
    context.report("clipping", int64_t(l) + 1, int64_t(model.layers.size()));
  }
  return codes;
}

}  // namespace

const CodeChoice clipped{"clipped", true, options, choose};

}  // namespace mxref::methods
