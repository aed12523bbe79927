#pragma once
// The spread of independent observations, as an error of what they add up to.

#include <cmath>
#include <vector>

namespace mxref {

// Standard error of Σ values, these being independent: sqrt of n times the variance around their
// mean; NaN for one value.
inline double error_of_sum(const std::vector<double>& values) {
  const double n = double(values.size());
  double mean = 0, squares = 0;
  for (double v : values) mean += v / n;
  for (double v : values) squares += (v - mean) * (v - mean);
  return std::sqrt(squares * n / (n - 1));
}

}  // namespace mxref
