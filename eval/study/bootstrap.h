#pragma once
// What a difference between two models is worth: both have scored the same windows or items, so the
// differences of these are drawn again and again, with replacement, and the interval that holds 95
// % of their means is told.

#include <cstdint>
#include <span>
#include <vector>

namespace mxref {

// What one task says of one model, by its independent observations: of a window the sum of nll and
// the tokens scored, of an item 1 for a hit (or 0), and 1.
struct Observations {
  std::vector<double> sums, weights;
  double mean() const;  // Σ sums / Σ weights
};

// `value` is that of all observations, `low` and `high` hold it with 95 %; these are NaN for a
// single observation, and where an observation is no number.
struct Interval {
  double value, low, high;
  int64_t left_out = 0;  // draws of which there is no figure
  bool holds(double x) const { return low <= x && x <= high; }
  double half_width() const { return (high - low) / 2; }
};

inline constexpr double confidence = 0.95;
inline constexpr int64_t bootstrap_draws = 10000;

// A difference of so many half-widths is told from none with 80 % (of normal means, whose
// half-width is 1.96 standard errors: (1.960 + 0.842) / 1.960); one of a single half-width with 50.
inline constexpr double detection_power = 0.8, half_widths_of_power = 1.4294;

// mean(a) - mean(b). Percentiles of the draws at the levels that Student's t with n - 1 degrees of
// freedom asks for, since the draws of n observations spread too little by sqrt((n-1)/n)
// (Hesterberg, "What teachers should know about the bootstrap", 2015, section 5: "expanded
// percentile interval"). The observations are those of the same windows or items; throws
// std::invalid_argument where their numbers or weights differ, or there are none.
Interval paired_difference(const Observations& a, const Observations& b, uint64_t seed,
                           int64_t draws = bootstrap_draws);

// The mean of a's means over the tasks, over that of b's; each task's items are drawn apart. Draws
// in which b has nothing have no ratio: they are left out, and counted.
Interval paired_ratio(std::span<const Observations> a, std::span<const Observations> b,
                      uint64_t seed, int64_t draws = bootstrap_draws);

// t of which P(T < t) = 0.975 with so many degrees of freedom.
double student_t_975(int64_t degrees);

}  // namespace mxref
