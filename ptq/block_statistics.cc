#include "ptq/block_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "emu/quantize.h"
#include "golden/models/tensor_values.h"
#include "golden/torch_threads.h"
#include "ptq/layer_forward.h"

namespace mxref {
namespace {

using nlohmann::ordered_json;

constexpr int64_t crest_block = 32;

// Calls use(first, count) for each block of rows of K.
template <typename Use>
void each_block(size_t size, int64_t K, int64_t block, const Use& use) {
  for (size_t row = 0; row < size; row += size_t(K))
    for (int64_t k = 0; k < K; k += block) use(row + size_t(k), size_t(std::min(block, K - k)));
}

double energy(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += double(v) * v;
  return sum;
}

// "q, k, v" of what takes the same input; "q" alone.
std::string words_for(const std::vector<Linear>& linears) {
  std::string words;
  for (const Linear linear : linears) {
    const std::string name = name_of(linear);  // "self_attn.q_proj"
    const size_t dot = name.find('.') + 1;
    words += (words.empty() ? "" : ", ") + name.substr(dot, name.rfind('_') - dot);
  }
  return words;
}

ordered_json number(double x) { return std::isfinite(x) ? ordered_json(x) : ordered_json(nullptr); }

ordered_json row(const std::string& place, const std::vector<BlockFigures>& layers) {
  double kurtosis = 0, largest = -INFINITY, crest = 0, error = 0;
  for (const BlockFigures& layer : layers) {
    kurtosis += layer.kurtosis / double(layers.size());
    largest = std::max(largest, layer.kurtosis);
    crest += layer.crest / double(layers.size());
    error += layer.error / double(layers.size());
  }
  return {{"place", place},
          {"kurtosis", number(kurtosis)},
          {"kurtosis_largest", number(largest)},
          {"crest", number(crest)},
          {"error", number(error)}};
}

// The inputs of one layer at all places, for the samples, which go through it.
std::array<BlockFigures, all_places.size()> inputs_of(LayerForward& forward,
                                                      const LayerWeights& layer,
                                                      std::vector<at::Tensor>& samples,
                                                      const Recipe& recipe) {
  std::vector<BlockStatistics> sums;
  for (const Place place : all_places)
    sums.emplace_back(
        linear_recipe(recipe, layer.module(linears_at(place).front())).activations.conversion);
  const auto add = [&](Place place, const at::Tensor& x) {
    sums[size_t(place)].add(values_of(x), x.size(1));
  };
  for (at::Tensor& x : samples) {
    const at::Tensor qkv = forward.qkv_input(layer, x);
    const at::Tensor o = forward.o_input(layer, qkv);
    forward.add(x, forward.linear(layer, Linear::o, o));
    const at::Tensor gate_up = forward.gate_up_input(layer, x);
    const at::Tensor down = forward.down_input(layer, gate_up);
    forward.add(x, forward.linear(layer, Linear::down, down));
    add(Place::qkv, qkv), add(Place::o, o), add(Place::gate_up, gate_up), add(Place::down, down);
  }
  std::array<BlockFigures, all_places.size()> figures;
  for (size_t p = 0; p < sums.size(); ++p) figures[p] = sums[p].figures();
  return figures;
}

}  // namespace

void BlockStatistics::add(std::span<const float> x, int64_t K) {
  for (const float v : x) {
    double power = 1;
    for (int i = 1; i <= 4; ++i) power_[i] += power *= v;
  }
  count_ += double(x.size());
  each_block(x.size(), K, crest_block, [&](size_t first, size_t count) {
    const std::span<const float> block = x.subspan(first, count);
    const double squares = energy(block);
    if (squares == 0) return;
    float largest = 0;
    for (const float v : block) largest = std::max(largest, std::abs(v));
    crest_ += largest / std::sqrt(squares / double(count));
    blocks_ += 1;
  });
  if (!conversion_) return;
  std::vector<float> differences =
      dequantize(quantize(x, {int64_t(x.size()) / K, K}, *conversion_));
  for (size_t i = 0; i < x.size(); ++i) differences[i] = x[i] - differences[i];
  each_block(x.size(), K, conversion_->block, [&](size_t first, size_t count) {
    const double squares = energy(x.subspan(first, count));
    if (squares == 0) return;
    error_ += energy({&differences[first], count}) / squares;
    converted_ += 1;
  });
}

BlockFigures BlockStatistics::figures() const {
  const double mean = power_[1] / count_, m2 = power_[2] / count_, m3 = power_[3] / count_,
               m4 = power_[4] / count_;
  const double variance = m2 - mean * mean;
  const double fourth = m4 - 4 * mean * m3 + 6 * mean * mean * m2 - 3 * std::pow(mean, 4);
  return {fourth / (variance * variance), crest_ / blocks_, error_ / converted_};
}

ordered_json block_statistics(const PtqModel& model, const Calibration& calibration,
                              int64_t samples, const Recipe& recipe) {
  adopt_threads();
  LayerForward forward(model);
  std::vector<at::Tensor> stream;
  for (const auto& ids : calibration.samples)
    if (int64_t(stream.size()) < samples) stream.push_back(forward.embed(ids));
  std::array<std::vector<BlockFigures>, all_places.size()> inputs;
  std::array<std::vector<BlockFigures>, all_linears.size()> weights;
  for (const LayerWeights& layer : model.layers) {
    const auto figures = inputs_of(forward, layer, stream, recipe);
    for (size_t p = 0; p < figures.size(); ++p) inputs[p].push_back(figures[p]);
    for (const Linear linear : all_linears) {
      BlockStatistics sums(linear_recipe(recipe, layer.module(linear)).weights.conversion);
      const at::Tensor& w = layer[linear].weight;
      sums.add(values_of(w), w.size(1));
      weights[size_t(linear)].push_back(sums.figures());
    }
  }
  ordered_json result = {{"inputs", ordered_json::array()}, {"weights", ordered_json::array()}};
  for (const Place place : all_places)
    result["inputs"].push_back(row(words_for(linears_at(place)), inputs[size_t(place)]));
  for (const Linear linear : all_linears)
    result["weights"].push_back(row(words_for({linear}), weights[size_t(linear)]));
  return result;
}

}  // namespace mxref
