#pragma once

#include <cmath>
#include <vector>

namespace mxref {

// Of a sample: sqrt(Σ (v - mean)² / (n - 1)); NaN for one value. Equal values give exactly 0:
// deviations are counted from the first, because a rounded mean may differ from all of them.
inline double standard_deviation(const std::vector<double>& values) {
  const double n = double(values.size());
  double mean = 0, squares = 0;
  for (double v : values) mean += (v - values.front()) / n;
  for (double v : values) squares += (v - values.front() - mean) * (v - values.front() - mean);
  return std::sqrt(squares / (n - 1));
}

}  // namespace mxref
