// The intervals of differences on made-up data.

#include "eval/study/bootstrap.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <stdexcept>

using namespace mxref;

namespace {

Observations items(std::vector<double> hits) {
  return {hits, std::vector<double>(hits.size(), 1.0)};
}

// n windows of different lengths, on each of which `b` is a hundredth of a nat a token worse, give
// or take `spread`.
struct Pair {
  Observations a, b;
};
Pair windows(size_t n, double difference, double spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Pair pair;
  for (size_t i = 0; i < n; ++i) {
    const double tokens = 100 + 10 * double(i % 3), text = tokens * (3 + normal(random));
    for (Observations* side : {&pair.a, &pair.b}) side->weights.push_back(tokens);
    pair.a.sums.push_back(text);
    pair.b.sums.push_back(text + tokens * (difference + spread * normal(random)));
  }
  return pair;
}

bool near(double x, double expected, double tolerance) {
  return std::abs(x - expected) <= tolerance;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bootstrap)

BOOST_AUTO_TEST_CASE(a_difference_that_is_the_same_everywhere_has_no_width) {
  const Pair p = windows(40, 0.01, 0, 1);
  const Interval d = paired_difference(p.b, p.a, 0);
  BOOST_TEST(near(d.value, 0.01, 1e-12));
  BOOST_TEST(near(d.low, 0.01, 1e-9));
  BOOST_TEST(near(d.high, 0.01, 1e-9));
  BOOST_TEST(!d.holds(0));
}

// What texts have in common does not widen the interval: it is that of the differences, here normal
// ones, of which the width is known.
BOOST_AUTO_TEST_CASE(the_interval_of_normal_differences_is_students) {
  const size_t n = 40;
  const Pair p = windows(n, 0.01, 0.02, 2);
  const Interval d = paired_difference(p.b, p.a, 0);
  double mean = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) mean += (p.b.sums[i] - p.a.sums[i]) / p.a.weights[i] / double(n);
  for (size_t i = 0; i < n; ++i)
    squares += std::pow((p.b.sums[i] - p.a.sums[i]) / p.a.weights[i] - mean, 2);
  const double student = student_t_975(n - 1) * std::sqrt(squares / double(n - 1) / double(n));
  BOOST_TEST(near(d.half_width(), student, 0.05 * student));
  // The control: drawn unpaired, it would be as wide as the texts differ.
  BOOST_TEST(d.half_width() < 0.01);
}

BOOST_AUTO_TEST_CASE(the_quantiles_of_student_are_those_of_the_tables) {
  BOOST_TEST(near(student_t_975(4), 2.776, 0.004));
  BOOST_TEST(near(student_t_975(9), 2.262, 0.001));
  BOOST_TEST(near(student_t_975(39), 2.0227, 0.0005));
  BOOST_TEST(near(student_t_975(1000000), 1.95997, 0.0001));
}

BOOST_AUTO_TEST_CASE(of_items_that_turn_both_ways_nothing_can_be_told) {
  std::vector<double> a(200), b(200);
  for (size_t i = 0; i < 200; ++i) {
    a[i] = i % 2 == 0;
    b[i] = i < 10 ? i % 2 != 0 : i % 2 == 0;  // five lost, five won
  }
  const Interval d = paired_difference(items(b), items(a), 0);
  BOOST_TEST(d.value == 0);
  BOOST_TEST(d.holds(0));
  // 10 of 200 turn: the variance of an item's difference is 0.05.
  BOOST_TEST(near(d.half_width(), 1.96 * std::sqrt(0.05 / 200), 0.003));
  for (size_t i = 0; i < 40; ++i) b[i] = 0;  // and now twenty are lost
  BOOST_TEST(!paired_difference(items(b), items(a), 0).holds(0));
}

BOOST_AUTO_TEST_CASE(the_same_seed_draws_the_same_and_another_one_nearly) {
  const Pair p = windows(20, 0.01, 0.02, 3);
  const Interval d = paired_difference(p.b, p.a, 5), same = paired_difference(p.b, p.a, 5),
                 other = paired_difference(p.b, p.a, 6);
  BOOST_TEST(d.low == same.low);
  BOOST_TEST(d.high == same.high);
  BOOST_TEST(d.low != other.low);
  BOOST_TEST(near(d.low, other.low, 0.1 * d.half_width()));
}

// Both sides alike: by a percent of the hits, every second item being one. A task of few items
// weighs as much as one of many.
BOOST_AUTO_TEST_CASE(a_ratio_is_that_of_the_means_over_the_tasks) {
  const Observations many = items(std::vector<double>(400, 1)), few = items({1, 0, 1, 0});
  Observations lost = many;
  for (size_t i = 0; i < 40; ++i) lost.sums[i] = 0;
  const std::vector<Observations> a{lost, few}, b{many, few};
  const Interval r = paired_ratio(a, b, 0);
  BOOST_TEST(near(r.value, (0.9 + 0.5) / 1.5, 1e-12));
  BOOST_TEST(r.high < 1);
  BOOST_TEST(paired_ratio(b, b, 0).holds(1));
  BOOST_TEST(paired_ratio(b, b, 0).half_width() == 0);
}

// Of three items of the reference one is a hit: 8 of 27 draws have none, and so no ratio.
BOOST_AUTO_TEST_CASE(draws_without_a_ratio_are_left_out_and_counted) {
  const std::vector<Observations> base{items({1, 0, 0})}, own{items({1, 1, 0})};
  const Interval r = paired_ratio(own, base, 0);
  BOOST_TEST(r.value == 2);
  BOOST_TEST(near(double(r.left_out) / bootstrap_draws, 8.0 / 27, 0.02));
  BOOST_TEST(std::isfinite(r.low));
  BOOST_TEST(std::isfinite(r.high));
  BOOST_TEST(r.low <= r.high);
  const std::vector<Observations> many{items({1, 1, 1, 1})};  // the control
  BOOST_TEST(paired_ratio(many, many, 0).left_out == 0);
  const std::vector<Observations> none{items({0, 0, 0})};
  const Interval never = paired_ratio(own, none, 0);
  BOOST_TEST(never.left_out == bootstrap_draws);
  BOOST_TEST(std::isnan(never.low));
}

BOOST_AUTO_TEST_CASE(of_what_is_no_number_there_is_no_interval) {
  const Observations good = items({1, 0, 1});
  for (const double bad : {double(NAN), double(INFINITY)}) {
    const Interval d = paired_difference(items({bad, 0, 1}), good, 0);
    BOOST_TEST(!std::isfinite(d.value));
    BOOST_TEST(std::isnan(d.low));
    BOOST_TEST(std::isnan(d.high));
  }
}

// Of normal means: a true difference of so many half-widths is outside of 80 % of the intervals.
BOOST_AUTO_TEST_CASE(the_detectable_difference_is_found_with_its_power) {
  constexpr int runs = 1000;
  constexpr size_t n = 40;
  const double error = 0.02 / std::sqrt(double(n)), half_width = 1.96 * error;
  for (const auto& [difference, expected] :
       {std::pair{half_widths_of_power * half_width, detection_power},
        std::pair{half_width, 0.5}}) {
    int found = 0;
    for (int run = 0; run < runs; ++run) {
      const Pair p = windows(n, difference, 0.02, unsigned(1000 + run));
      found += !paired_difference(p.b, p.a, uint64_t(run), 200).holds(0);
    }
    // Four standard errors of 1000 runs, and the t distribution's wider interval.
    BOOST_TEST(near(double(found) / runs, expected, 0.065), found);
  }
}

// 95 % of the intervals hold the truth, of a simulation of which four standard errors are 4.4 %;
// the levels without Student's are found out for few windows.
BOOST_AUTO_TEST_CASE(nineteen_of_twenty_intervals_hold_the_truth) {
  constexpr int runs = 400;
  for (const size_t n : {8, 40}) {
    int held = 0, control = 0;
    for (int run = 0; run < runs; ++run) {
      const Pair p = windows(n, 0.01, 0.02, unsigned(100 + run));
      const Interval d = paired_difference(p.b, p.a, uint64_t(run), 1000);
      held += d.holds(0.01);
      control += d.holds(0.01 + 0.02);  // another truth
    }
    BOOST_TEST(held >= 0.906 * runs, n << " windows: " << held);
    BOOST_TEST(held <= 0.994 * runs, n << " windows: " << held);
    BOOST_TEST(control < 0.5 * runs, n << " windows: " << control);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_paired_is_refused_and_one_window_has_no_interval) {
  const Observations one = items({1}), two = items({1, 0});
  BOOST_CHECK_THROW(paired_difference(one, two, 0), std::invalid_argument);
  BOOST_CHECK_THROW(paired_difference({}, {}, 0), std::invalid_argument);
  BOOST_CHECK_THROW(paired_difference({{1, 0}, {1, 2}}, two, 0), std::invalid_argument);
  BOOST_CHECK_THROW(paired_ratio({}, {}, 0), std::invalid_argument);
  const Interval d = paired_difference(one, one, 0);
  BOOST_TEST(d.value == 0);
  BOOST_TEST(std::isnan(d.low));
  BOOST_TEST(!d.holds(0));
}

BOOST_AUTO_TEST_SUITE_END()
