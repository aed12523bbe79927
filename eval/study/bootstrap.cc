#include "eval/study/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "emu/philox.h"

namespace mxref {
namespace {

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

void check_pairs(const Observations& a, const Observations& b) {
  if (a.sums.empty() || a.sums.size() != b.sums.size() || a.weights.size() != a.sums.size() ||
      a.weights != b.weights)
    throw std::invalid_argument("observations that are not of the same windows or items");
}

// Calls use(i) for n indices below n, drawn with replacement: those of draw `draw` of a stream.
template <typename Use>
void draw_indices(size_t n, uint64_t seed, uint32_t stream, int64_t draw, const Use& use) {
  const philox::Key key{uint32_t(seed), uint32_t(seed >> 32)};
  for (size_t i = 0; i < n; i += 4) {
    const philox::Counter words =
        philox::philox4x32_10({uint32_t(i / 4), uint32_t(draw), stream, 0xB0075u}, key);
    // The high half of word · n: uneven by n / 2^32 at most.
    for (size_t j = 0; j < std::min<size_t>(4, n - i); ++j)
      use(size_t((uint64_t(words[j]) * n) >> 32));
  }
}

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

// Between the two draws next to it.
double quantile(const std::vector<double>& sorted, double level) {
  const double at =
      std::clamp(level * double(sorted.size() + 1) - 1, 0.0, double(sorted.size() - 1));
  const auto below = size_t(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - double(below)) * (sorted[above] - sorted[below]);
}

// `draws` are numbers, unless the value itself is none.
Interval interval(double value, std::vector<double> draws, size_t observations) {
  if (observations < 2 || draws.empty() || !std::isfinite(value)) return {value, NAN, NAN};
  const double n = double(observations);
  const double level =
      normal_cdf(-student_t_975(int64_t(observations) - 1) * std::sqrt(n / (n - 1)));
  std::sort(draws.begin(), draws.end());
  return {value, quantile(draws, level), quantile(draws, 1 - level)};
}

}  // namespace

double Observations::mean() const { return sum(sums) / sum(weights); }

// Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5): to 0.1 % from 3 degrees on; below,
// the level is past the last draw in any case.
double student_t_975(int64_t degrees) {
  const double x = 1.959963984540054, v = double(degrees), x2 = x * x;
  const double g1 = x * (x2 + 1) / 4;
  const double g2 = x * ((5 * x2 + 16) * x2 + 3) / 96;
  const double g3 = x * (((3 * x2 + 19) * x2 + 17) * x2 - 15) / 384;
  const double g4 = x * ((((79 * x2 + 776) * x2 + 1482) * x2 - 1920) * x2 - 945) / 92160;
  return x + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
}

Interval paired_difference(const Observations& a, const Observations& b, uint64_t seed,
                           int64_t draws) {
  check_pairs(a, b);
  const size_t n = a.sums.size();
  std::vector<double> differences(n);
  for (size_t i = 0; i < n; ++i) differences[i] = a.sums[i] - b.sums[i];
  std::vector<double> means;
  for (int64_t draw = 0; draw < draws; ++draw) {
    double total = 0, weight = 0;
    draw_indices(n, seed, 0, draw, [&](size_t i) {
      total += differences[i];
      weight += a.weights[i];
    });
    means.push_back(total / weight);
  }
  return interval(sum(differences) / sum(a.weights), std::move(means), n);
}

Interval paired_ratio(std::span<const Observations> a, std::span<const Observations> b,
                      uint64_t seed, int64_t draws) {
  if (a.empty() || a.size() != b.size()) throw std::invalid_argument("no pairs of tasks");
  double value_a = 0, value_b = 0;
  size_t observations = 0;
  for (size_t t = 0; t < a.size(); ++t) {
    check_pairs(a[t], b[t]);
    value_a += a[t].mean();
    value_b += b[t].mean();
    observations += a[t].sums.size();
  }
  std::vector<double> ratios;
  for (int64_t draw = 0; draw < draws; ++draw) {
    double of_a = 0, of_b = 0;
    for (size_t t = 0; t < a.size(); ++t) {
      double sum_a = 0, sum_b = 0, weight = 0;
      draw_indices(a[t].sums.size(), seed, uint32_t(t), draw, [&](size_t i) {
        sum_a += a[t].sums[i];
        sum_b += b[t].sums[i];
        weight += a[t].weights[i];
      });
      of_a += sum_a / weight;
      of_b += sum_b / weight;
    }
    if (of_b != 0) ratios.push_back(of_a / of_b);
  }
  const int64_t left_out = draws - int64_t(ratios.size());
  Interval of = interval(value_a / value_b, std::move(ratios), observations);
  of.left_out = left_out;
  return of;
}

}  // namespace mxref
