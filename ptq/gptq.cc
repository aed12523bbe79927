#include "ptq/gptq.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "emu/error.h"
#include "emu/kernels/parts.h"
#include "emu/quantize.h"
#include "ptq/fitted_scales.h"
#include "ptq/linear_algebra.h"
#include "ptq/nearest_element.h"

namespace mxref {
namespace {

// Rows of weights that go through the loop together, and columns of a panel, whose sums over all
// that came before are one product.
constexpr int64_t part_rows = 64, panel_cols = 128;

struct Factor {
  std::vector<int64_t> order;  // column of the matrix, in the order of the loop
  std::vector<float> r;        // (K,K) upper, h = r·rᵀ in that order
};

// The loop over the rows begin … end-1. Matrices are stored column by column, (columns, rows), so
// that the rows lie side by side.
class RowsLoop {
 public:
  RowsLoop(std::span<const float> w, const Factor& factor, const GptqSettings& settings,
           const std::vector<float>& inverse_corners, const MxTensor& nearest,
           const std::vector<float>& nearest_values, int64_t begin, int64_t end)
      : factor_(factor),
        inverse_corners_(inverse_corners),
        nearest_(nearest),
        nearest_values_(nearest_values),
        element_(nearest.element()),
        p_(float(nearest.conversion.prescale.numerator) /
           float(nearest.conversion.prescale.denominator)),
        begin_(begin),
        rows_(end - begin),
        K_(nearest.cols()),
        block_(nearest.block()),
        static_scales_(settings.static_scales || settings.activation_order ||
                       nearest.format().has_tensor_scale()),
        w_(size_t(rows_ * K_)),
        difference_(size_t(rows_ * K_)),
        codes_(size_t(rows_ * K_)),
        scales_(nearest, begin, rows_),
        loss_(size_t(rows_), 0.0),
        compares_(settings.compare_with_nearest) {
    for (int64_t k = 0; k < K_; ++k)
      for (int64_t r = 0; r < rows_; ++r)
        w_[at(k, r)] = w[size_t((begin + r) * K_ + factor.order[size_t(k)])];
  }

  void run() {
    std::vector<float> sums(size_t(panel_cols * rows_));
    for (int64_t panel = 0; panel < K_; panel += panel_cols) {
      const int64_t cols = std::min(panel_cols, K_ - panel);
      if (panel > 0)  // sums = rᵀ·difference of all columns before
        sgemm('T', 'N', cols, rows_, panel, 1, &factor_.r[size_t(panel)], K_, difference_.data(),
              rows_, 0, sums.data(), rows_);
      else
        std::ranges::fill(sums, 0.0f);
      for (int64_t first = 0; first < cols; first += block_)
        run_block(panel, panel + first, std::min<int64_t>(block_, cols - first), sums);
    }
  }

  // Writes the rows' codes; a row for which rounding to nearest is better keeps it. Returns how
  // many did.
  int64_t write(std::span<const float> w, MxTensor& codes, double& loss,
                double& nearest_loss) const {
    const std::vector<double> plain =
        compares_ ? losses_of_nearest(w) : std::vector<double>(size_t(rows_), 0.0);
    const int64_t blocks = nearest_.blocks_per_row();
    int64_t kept = 0;
    for (int64_t r = 0; r < rows_; ++r) {
      nearest_loss += plain[size_t(r)];
      const bool keeps_nearest = compares_ && plain[size_t(r)] < loss_[size_t(r)];
      loss += keeps_nearest ? plain[size_t(r)] : loss_[size_t(r)];
      if (keeps_nearest) {
        ++kept;
        continue;
      }
      const int64_t row = begin_ + r;
      for (int64_t k = 0; k < K_; ++k)
        codes.codes[size_t(row * K_ + factor_.order[size_t(k)])] = codes_[at(k, r)];
      for (int64_t block = 0; block < blocks; ++block)
        codes.scales[size_t(row * blocks + block)] = scales_.codes[at(block, r)];
    }
    return kept;
  }

 private:
  size_t at(int64_t column, int64_t row) const { return size_t(column * rows_ + row); }

  // Columns first … first+count-1, of one block where scales are found on the way. sums: what all
  // columns before the panel did to the panel's.
  void run_block(int64_t panel, int64_t first, int64_t count, std::vector<float>& sums) {
    float* const own = &sums[at(first - panel, 0)];
    if (first > panel)
      sgemm('T', 'N', count, rows_, first - panel, 1, &factor_.r[size_t(panel * K_ + first)], K_,
            &difference_[at(panel, 0)], rows_, 1, own, rows_);
    // The weights as they are: w + sums·r_gg^(-1).
    const float* const inverse = &inverse_corners_[size_t(first * block_)];
    std::vector<float> now(w_.begin() + int64_t(at(first, 0)),
                           w_.begin() + int64_t(at(first + count, 0)));
    for (int64_t j = 0; j < count; ++j)
      for (int64_t i = j; i < count; ++i)
        add_column(inverse[j * block_ + i], own + j * rows_, &now[at(i, 0)]);
    if (!static_scales_) find_scales(first, count, now);
    std::vector<float> error(static_cast<size_t>(rows_));
    for (int64_t i = 0; i < count; ++i) {
      round_column(first + i, &now[at(i, 0)], inverse[i * block_ + i], error);
      for (int64_t j = i + 1; j < count; ++j)
        add_column(-inverse[i * block_ + j], error.data(), &now[at(j, 0)]);
    }
  }

  void add_column(float factor, const float* from, float* to) const {
    for (int64_t r = 0; r < rows_; ++r) to[r] += factor * from[r];
  }

  // The scales of the block at `first` by the recipe's rule, from the weights as they are.
  void find_scales(int64_t first, int64_t count, const std::vector<float>& now) {
    std::vector<float> rows(now.size());
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t i = 0; i < count; ++i) rows[size_t(r * count + i)] = now[at(i, r)];
    scales_.set(quantize(rows, {rows_, count}, nearest_.conversion), 0, 0, first / block_);
  }

  // One column of the rows: its codes, and error = (now - q) / u.
  void round_column(int64_t k, const float* now, float u, std::vector<float>& error) {
    const size_t block = at(factor_.order[size_t(k)] / block_, 0);
    const float *scale = &scales_.scale[block], *to_element = &scales_.to_element[block];
    const float *tensor_scale = scales_.tensor_scale.data(), *w = &w_[at(k, 0)];
    float *difference = &difference_[at(k, 0)], *errors = error.data();
    uint8_t* const codes = &codes_[at(k, 0)];
    for (int64_t r = 0; r < rows_; ++r) {
      const float element = element_.round(now[r] * to_element[r]);
      // RNE32(element · scale · g / p), as dequantize_element has it.
      const float q = element * scale[r] * tensor_scale[r] / p_;
      codes[r] = element_.code(element);
      errors[r] = (now[r] - q) / u;
      difference[r] = w[r] - q;
    }
    for (int64_t r = 0; r < rows_; ++r) loss_[size_t(r)] += double(errors[r]) * errors[r];
  }

  // |(w - nearest)·r|² of each row.
  std::vector<double> losses_of_nearest(std::span<const float> w) const {
    std::vector<float> difference(size_t(rows_ * K_)), moved(size_t(panel_cols * rows_));
    for (int64_t k = 0; k < K_; ++k) {
      const int64_t column = factor_.order[size_t(k)];
      for (int64_t r = 0; r < rows_; ++r) {
        const int64_t row = begin_ + r;
        const auto place = size_t(row * K_ + column);
        difference[at(k, r)] = w[place] - nearest_values_[place];
      }
    }
    std::vector<double> losses(size_t(rows_), 0.0);
    for (int64_t panel = 0; panel < K_; panel += panel_cols) {
      const int64_t cols = std::min(panel_cols, K_ - panel);
      sgemm('T', 'N', cols, rows_, panel + cols, 1, &factor_.r[size_t(panel)], K_,
            difference.data(), rows_, 0, moved.data(), rows_);
      for (int64_t i = 0; i < cols; ++i)
        for (int64_t r = 0; r < rows_; ++r)
          losses[size_t(r)] += double(moved[at(i, r)]) * moved[at(i, r)];
    }
    return losses;
  }

  const Factor& factor_;
  const std::vector<float>& inverse_corners_;
  const MxTensor& nearest_;
  const std::vector<float>& nearest_values_;
  NearestElement element_;
  float p_;
  int64_t begin_, rows_, K_, block_;
  bool static_scales_;
  std::vector<float> w_, difference_;  // (K, rows) in the order of the loop
  std::vector<uint8_t> codes_;         // likewise
  RowScales scales_;                   // in the order of the matrix
  std::vector<double> loss_;
  bool compares_;
};

std::vector<int64_t> loop_order(const std::vector<double>& h, int64_t K, bool by_activation) {
  std::vector<int64_t> order(static_cast<size_t>(K));
  std::iota(order.begin(), order.end(), 0);
  if (by_activation)
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [&](int64_t k) { return h[size_t(k * K + k)]; });
  return order;
}

struct RowsProblem {
  const std::vector<float>& weights;  // (N,K)
  const Factor& factor;
  const std::vector<float>& corners;
  const GptqSettings& settings;
};

// All rows, on the scales of `nearest`: codes and losses, and how many rows keep nearest.
void run_rows(const RowsProblem& problem, const MxTensor& nearest, GptqResult& result) {
  const std::vector<float> nearest_values = dequantize(nearest);
  result.codes = nearest;
  const int64_t N = nearest.rows(), parts = (N + part_rows - 1) / part_rows;
  struct Tally {
    double loss = 0, nearest_loss = 0;
    int64_t kept = 0;
  };
  std::vector<Tally> tallies(static_cast<size_t>(parts));
  for_each_part(parts, [&](int64_t part) {
    RowsLoop loop(problem.weights, problem.factor, problem.settings, problem.corners, nearest,
                  nearest_values, part * part_rows, std::min(N, (part + 1) * part_rows));
    loop.run();
    Tally& tally = tallies[size_t(part)];
    tally.kept = loop.write(problem.weights, result.codes, tally.loss, tally.nearest_loss);
  });
  for (const Tally& tally : tallies) {
    result.loss += tally.loss;
    result.nearest_loss += tally.nearest_loss;
    result.nearest_rows += tally.kept;
  }
}

// h by its upper triangle, in an order → the upper triangle there, with `more` on the diagonal.
std::vector<double> ordered(const std::vector<double>& h, const std::vector<int64_t>& order,
                            double more) {
  const auto K = int64_t(order.size());
  std::vector<double> result(h.size(), 0.0);
  for_each_range(K, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = i; j < K; ++j) {
        const auto [row, col] = std::minmax(order[size_t(i)], order[size_t(j)]);
        result[size_t(i * K + j)] = h[size_t(row * K + col)];
      }
  });
  for (int64_t i = 0; i < K; ++i) result[size_t(i * K + i)] += more;
  return result;
}

// The inverses of r's diagonal blocks as the loop meets them: for each column k of a block that
// begins at `first`, row k holds row k - first of the inverse, (K, block).
std::vector<float> inverses_of_corners(const std::vector<float>& r, int64_t K, int64_t block) {
  std::vector<float> result(size_t(K * block), 0.0f);
  for_each_range(K, panel_cols, [&](int64_t panel, int64_t panel_end) {
    for (int64_t first = panel; first < panel_end; first += block) {
      const int64_t count = std::min(block, panel_end - first);
      std::vector<double> corner(size_t(count * count), 0.0);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = i; j < count; ++j)
          corner[size_t(i * count + j)] = r[size_t((first + i) * K + first + j)];
      const std::vector<double> inverse = inverse_of_upper(corner.data(), count, count);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < count; ++j)
          result[size_t((first + i) * block + j)] = float(inverse[size_t(i * count + j)]);
    }
  });
  return result;
}

}  // namespace

void Hessian::add(std::span<const float> x) {
  constexpr int64_t tile = 128, rows_at_once = 512;
  const int64_t T = int64_t(x.size()) / K_, tiles = (K_ + tile - 1) / tile;
  rows_ += T;
  for_each_part(tiles * tiles, [&](int64_t part) {
    const int64_t row = part / tiles * tile, col = part % tiles * tile;
    if (col < row) return;
    const int64_t rows = std::min(tile, K_ - row), cols = std::min(tile, K_ - col);
    std::vector<float> sums(size_t(tile * tile));
    for (int64_t t = 0; t < T; t += rows_at_once) {
      sgemm('T', 'N', rows, cols, std::min(rows_at_once, T - t), 1, x.data() + t * K_ + row, K_,
            x.data() + t * K_ + col, K_, 0, sums.data(), tile);
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < cols; ++j)
          sums_[size_t((row + i) * K_ + col + j)] += double(sums[size_t(i * tile + j)]);
    }
  });
}

std::vector<double> Hessian::mean() const {
  std::vector<double> h = sums_;
  for (double& value : h) value *= 2.0 / double(std::max(rows_, int64_t(1)));
  return h;
}

GptqResult gptq(std::span<const float> w, int64_t N, std::vector<double> h,
                const Conversion& conversion, const GptqSettings& settings) {
  const int64_t K = int64_t(w.size()) / N;
  if (int64_t(h.size()) != K * K)
    throw UsageError("GPTQ: a Hessian of " + std::to_string(h.size()) +
                     " numbers for K = " + std::to_string(K));
  GptqResult result;
  std::vector<float> weights(w.begin(), w.end());
  double trace = 0;
  for (int64_t k = 0; k < K; ++k) {
    double& diagonal = h[size_t(k * K + k)];
    if (diagonal == 0) {
      ++result.dead_columns;
      diagonal = 1;
      for (int64_t n = 0; n < N; ++n) weights[size_t(n * K + k)] = 0;
    }
    trace += diagonal;
  }
  Factor factor{loop_order(h, K, settings.activation_order), {}};
  result.damping = settings.damping;
  for (;; ++result.retries, result.damping = std::max(result.damping, 1e-8) * 10) {
    std::vector<double> damped = ordered(h, factor.order, result.damping * trace / double(K));
    if (reversed_cholesky(damped.data(), K) < 0) {
      factor.r.assign(damped.begin(), damped.end());
      for (int64_t i = 0; i < K; ++i)
        std::fill_n(&factor.r[size_t(i * K)], i, 0.0f);  // below the diagonal
      break;
    }
    if (result.damping > 1)
      throw UsageError("GPTQ: the Hessian of K = " + std::to_string(K) +
                       " is not positive definite even with a damping of " +
                       std::to_string(result.damping));
  }
  const std::vector<float> corners = inverses_of_corners(factor.r, K, conversion.block);
  const RowsProblem problem{weights, factor, corners, settings};
  run_rows(problem, quantize(weights, {N, K}, conversion), result);
  if (conversion.format->has_tensor_scale() && settings.scale_turns > 0) {
    GptqResult fitted;
    run_rows(problem, fit_scales(weights, N, conversion, settings.scale_turns), fitted);
    if (fitted.loss < result.loss) {
      result.codes = std::move(fitted.codes);
      result.loss = fitted.loss;
      result.nearest_rows = fitted.nearest_rows;
      result.fitted_scales = true;
    }
  }
  return result;
}

double quadratic_error(std::span<const float> a, std::span<const float> b, int64_t N,
                       const std::vector<double>& h) {
  const int64_t K = int64_t(a.size()) / N;
  std::vector<float> full(h.size());
  for (int64_t i = 0; i < K; ++i)
    for (int64_t j = i; j < K; ++j)
      full[size_t(i * K + j)] = full[size_t(j * K + i)] = float(h[size_t(i * K + j)]);
  const int64_t parts = (N + part_rows - 1) / part_rows;
  std::vector<double> sums(size_t(parts), 0.0);
  for_each_part(parts, [&](int64_t part) {
    const int64_t begin = part * part_rows, rows = std::min(part_rows, N - begin);
    std::vector<float> difference(size_t(rows * K)), moved(size_t(rows * K));
    for (int64_t i = 0; i < rows * K; ++i)
      difference[size_t(i)] = a[size_t(begin * K + i)] - b[size_t(begin * K + i)];
    sgemm('N', 'N', rows, K, K, 1, difference.data(), K, full.data(), K, 0, moved.data(), K);
    for (size_t i = 0; i < moved.size(); ++i)
      sums[size_t(part)] += double(moved[i]) * difference[i];
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace mxref
