// Weights clipped by block, as AWQ does behind its scales (Lin et al., arXiv 2306.00978): the bound
// by search over the error of the block's own part of the output.

#include <algorithm>
#include <cmath>
#include <limits>

#include "emu/error.h"
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
           .most = 1000,
           .what = "bounds that are tried: 1 - i/clip_grid of the block's largest, i from 0 on"},
          {.name = "clip_grid",
           .kind = Kind::integer,
           .default_value = "20",
           .least = 1,
           .most = 1000,
           .what = "steps from the block's largest to 0"},
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
                        const Conversion& conversion, const BlockProducts& products, int64_t steps,
                        int64_t grid) {
  const int64_t block = conversion.block;
  MxTensor best = quantize(w, {N, K}, conversion);
  const int64_t blocks = best.blocks_per_row();
  std::vector<double> least(size_t(N * blocks), std::numeric_limits<double>::infinity());
  for (int64_t step = 0; step < steps; ++step) {
    const float ratio = 1 - float(step) / float(grid);
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
    const MxTensor tried = quantize(clipped, {N, K}, conversion);
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
  const int64_t steps = context.options.integer("clip_steps"),
                grid = context.options.integer("clip_grid");
  if (steps > grid)
    throw UsageError("option clip_steps=" + std::to_string(steps) +
                     ": expected at most clip_grid, " + std::to_string(grid));
  const int64_t tokens = context.calibration->tokens(),
                wanted = std::min(context.options.integer("clip_tokens"), tokens);
  // Whether token t is one of `wanted` that lie evenly.
  const auto is_taken = [&](int64_t t) { return (t + 1) * wanted / tokens > t * wanted / tokens; };
  ModelCodes codes;
  int64_t clipped = 0, not_clipped = 0;
  for (size_t l = 0; l < model.layers.size(); ++l) {
    const LayerWeights& layer = model.layers[l];
    std::vector<std::vector<float>> rows(all_places.size());
    int64_t first = 0;  // token of the sample
    for (at::Tensor& x : stream.samples()) {
      stream.forward().run(layer, x, [&](Place place, const at::Tensor& input) {
        std::vector<float>& own = rows[size_t(place)];
        for (int64_t t = 0; t < input.size(0); ++t)
          if (is_taken(first + t)) {
            const float* row = input.data_ptr<float>() + t * input.size(1);
            own.insert(own.end(), row, row + input.size(1));
          }
      });
      first += x.size(0);
    }
    for (const Linear linear : all_linears) {
      const std::string module = layer.module(linear);
      const auto conversion = linear_recipe(context.recipe, module).weights.conversion;
      if (!conversion) continue;
      const at::Tensor& w = layer[linear].weight;
      const int64_t N = w.size(0), K = w.size(1);
      // What goes into scores is not clipped; a tensor scale is one for all blocks.
      const bool clips =
          linear != Linear::q && linear != Linear::k && !conversion->format->has_tensor_scale();
      ++(clips ? clipped : not_clipped);
      if (!clips) {
        codes[module + ".weight"] = quantize(values_of(w), {N, K}, *conversion);
        continue;
      }
      BlockProducts products(K, conversion->block);
      const std::vector<float>& x = rows[size_t(place_of(linear))];
      for (size_t at = 0; at < x.size(); at += size_t(K)) products.add(&x[at]);
      codes[module + ".weight"] =
          clip_and_round(values_of(w), N, K, *conversion, products, steps, grid);
    }
    context.report("clipping", int64_t(l) + 1, int64_t(model.layers.size()));
  }
  context.record.update({{"searched_tokens", wanted},
                         {"matrices_clipped", clipped},
                         {"matrices_not_clipped", not_clipped}});
  return codes;
}

}  // namespace

const CodeChoice clipped{
    {"clipped", {.calibration = true}, always<RecipeSides{.weights = true}>, options}, choose};

}  // namespace mxref::methods
