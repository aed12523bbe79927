#pragma once
// GPTQ: the codes of a linear layer's weights, chosen column by column so that the error of each is
// made up for by those that follow (Frantar et al., arXiv 2210.17323), on scales that hardware has.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "emu/block.h"

namespace mxref {

// Σ x·xᵀ of a layer's inputs.
class Hessian {
 public:
  explicit Hessian(int64_t K) : K_(K), sums_(size_t(K * K), 0.0) {}
  // x (T,K).
  void add(std::span<const float> x);
  int64_t width() const { return K_; }
  int64_t rows() const { return rows_; }
  // (K,K), its upper triangle: 2/rows · Σ x·xᵀ.
  std::vector<double> mean() const;

 private:
  int64_t K_, rows_ = 0;
  std::vector<double> sums_;
};

struct GptqSettings {
  double damping = 0.01;  // of the mean of the diagonal, added to it
  bool activation_order =
      false;  // columns by descending diagonal; a column keeps its block's scale
  // Scales of all blocks from the weights as they were; else each block's when it comes up, from
  // the weights as they are then. With activation_order, and under a tensor scale, always static.
  bool static_scales = false;
  // Of a format with a tensor scale: most turns of fit_scales (fitted_scales.h), whose scales are
  // taken where the loss that they end with is below that of the format's own.
  int scale_turns = 0;
  // Whether rows are compared with rounding to nearest, which costs half as much again; else no row
  // keeps it and nearest_loss is 0.
  bool compare_with_nearest = true;
};

struct GptqResult {
  MxTensor codes;
  double loss = 0;             // Σ over rows of (w-q)·H·(w-q)ᵀ, H with its damping
  double nearest_loss = 0;     // of rounding to nearest under the recipe's scales
  double damping = 0;          // that was used
  int retries = 0;             // each with ten times the damping: H was not positive definite
  int64_t dead_columns = 0;    // no input was ever different from zero there: codes 0
  int64_t nearest_rows = 0;    // rows that keep rounding to nearest, which was better for them
  bool fitted_scales = false;  // those of fit_scales were better
};

// w (N,K), h = Hessian::mean() → codes in the form of `conversion`, whose scale rule, pre-scale and
// tensor scale the loop works with. Elements are rounded to nearest, ties to even, whatever the
// conversion's rounding. Bits do not depend on the number of threads.
// Throws UsageError where h cannot be made positive definite.
GptqResult gptq(std::span<const float> w, int64_t N, std::vector<double> h,
                const Conversion& conversion, const GptqSettings& settings);

// Σ over rows of (a-b)·H·(a-b)ᵀ, a and b (N,K), h as above, without damping.
double quadratic_error(std::span<const float> a, std::span<const float> b, int64_t N,
                       const std::vector<double>& h);

}  // namespace mxref
