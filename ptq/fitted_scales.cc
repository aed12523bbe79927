#include "ptq/fitted_scales.h"

#include <array>
#include <cmath>
#include <limits>

#include "emu/kernels/parts.h"
#include "emu/quantize.h"
#include "ptq/nearest_element.h"

namespace mxref {
namespace {

// Codes of a block's scale that are tried, from that of its largest element / 6 down by half an
// octave, where the largest saturates, and up by almost one, where it rounds to the next code.
constexpr int codes_below = 4, codes_above = 6;

class ScaleFit {
 public:
  ScaleFit(std::span<const float> w, const MxTensor& start)
      : w_(w), own_(start), element_(start.element()) {}

  // What a row, or all, say of the tensor scale that is best for their codes.
  struct Sums {
    double error = 0;                // Σ (w - q)²
    double across = 0, squares = 0;  // Σ w·u and Σ u·u, u = element · block scale
  };

  // Codes of all blocks under q's tensor scale; with `scales` the blocks' scales as well, near
  // those of the start.
  Sums round(MxTensor& q, bool scales) const {
    std::vector<Sums> of_rows(size_t(q.rows()));
    for_each_range(q.rows(), 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t block = 0; block < q.blocks_per_row(); ++block)
          add(round_block(q, row, block, scales), of_rows[size_t(row)]);
    });
    Sums all;
    for (const Sums& row : of_rows) add(row, all);
    return all;
  }

 private:
  static void add(const Sums& part, Sums& sums) {
    sums.error += part.error;
    sums.across += part.across;
    sums.squares += part.squares;
  }

  Sums round_block(MxTensor& q, int64_t row, int64_t block, bool scales) const {
    const auto at = size_t(row * q.blocks_per_row() + block);
    const ScaleFormat& format = *q.format().scale;
    if (own_.scales[at] == 0 || format.is_nan(own_.scales[at])) return {};  // zeros
    const int64_t first = block * q.block(), count = std::min<int64_t>(q.block(), q.cols() - first);
    const auto begin = size_t(row * q.cols() + first);
    Block least{.sums = {.error = std::numeric_limits<double>::infinity()}};
    const int own = scales ? own_.scales[at] : q.scales[at];
    const int low = scales ? std::max(own - codes_below, 1) : own;
    const int high = scales ? std::min(own + codes_above, format.nan - 1) : own;
    for (int code = low; code <= high; ++code) {
      const Block tried = rounded(w_.subspan(begin, size_t(count)), uint8_t(code), q);
      if (tried.sums.error < least.sums.error) least = tried;
    }
    q.scales[at] = least.scale;
    std::copy_n(least.codes.begin(), count, q.codes.begin() + int64_t(begin));
    return least.sums;
  }

  struct Block {
    uint8_t scale = 0;
    std::array<uint8_t, 16> codes{};
    Sums sums{};
  };
  Block rounded(std::span<const float> w, uint8_t scale, const MxTensor& q) const {
    const auto parts = q.format().scale->parts(scale);
    const double value = std::ldexp(double(parts.significand), parts.exponent),
                 g = q.tensor_scales[0];
    const auto to_element = float(1 / (value * g));
    Block block{.scale = scale};
    for (size_t i = 0; i < w.size(); ++i) {
      const float element = element_.round(w[i] * to_element);
      block.codes[i] = element_.code(element);
      const double unscaled = double(element) * value, difference = w[i] - unscaled * g;
      block.sums.error += difference * difference;
      block.sums.across += w[i] * unscaled;
      block.sums.squares += unscaled * unscaled;
    }
    return block;
  }

  std::span<const float> w_;
  const MxTensor& own_;
  NearestElement element_;
};

}  // namespace

MxTensor fit_scales(std::span<const float> w, int64_t N, const Conversion& conversion, int turns) {
  const MxTensor own = quantize(w, {N, int64_t(w.size()) / N}, conversion);
  const ScaleFit fit(w, own);
  MxTensor now = own, best = own;
  double least = fit.round(now, false).error;
  for (int turn = 0; turn < turns; ++turn) {
    const ScaleFit::Sums blocks = fit.round(now, true);
    if (blocks.squares == 0) break;
    if (blocks.error < least) best = now;
    now.tensor_scales[0] = std::max(float(blocks.across / blocks.squares), 0x1p-126f);
    const ScaleFit::Sums whole = fit.round(now, false);
    const double error = std::min(blocks.error, whole.error);
    if (!(error < least)) break;
    if (whole.error <= blocks.error) best = now;
    least = error;
  }
  return best;
}

}  // namespace mxref
