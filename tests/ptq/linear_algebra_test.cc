#include "ptq/linear_algebra.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "emu/threads.h"

using namespace mxref;

namespace {

constexpr uint64_t matrix_seed = 3;

std::vector<double> random_matrix(int64_t rows, int64_t cols, uint64_t more = 0) {
  std::mt19937_64 random(matrix_seed + more);
  std::normal_distribution<double> normal;
  std::vector<double> m(size_t(rows * cols), 0.0);
  for (double& x : m) x = normal(random);
  return m;
}

// Symmetric, positive definite.
std::vector<double> random_gram(int64_t n) {
  const std::vector<double> x = random_matrix(n + 7, n);
  return product({x.data(), n, true}, {x.data(), n}, n, n, n + 7);
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::vector<double> upper_of(std::vector<double> m, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j) m[size_t(i * n + j)] = 0;
  return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(linear_algebra)

BOOST_AUTO_TEST_CASE(products_are_sums_of_products_whatever_is_transposed) {
  for (const auto& [M, N, K] : {std::array<int64_t, 3>{1, 1, 1}, {5, 17, 3}, {70, 131, 300}})
    for (const bool left : {false, true})
      for (const bool right : {false, true}) {
        const auto a = random_matrix(M, K), b = random_matrix(K, N, 1);
        std::vector<double> at(a.size()), bt(b.size()), expected(size_t(M * N), 0.0);
        for (int64_t m = 0; m < M; ++m)
          for (int64_t k = 0; k < K; ++k) at[size_t(k * M + m)] = a[size_t(m * K + k)];
        for (int64_t k = 0; k < K; ++k)
          for (int64_t n = 0; n < N; ++n) {
            bt[size_t(n * K + k)] = b[size_t(k * N + n)];
            for (int64_t m = 0; m < M; ++m)
              expected[size_t(m * N + n)] += a[size_t(m * K + k)] * b[size_t(k * N + n)];
          }
        const View64 x = left ? View64{at.data(), M, true} : View64{a.data(), K};
        const View64 y = right ? View64{bt.data(), K, true} : View64{b.data(), N};
        BOOST_TEST(largest_difference(product(x, y, M, N, K), expected) < 1e-11,
                   M << "x" << N << "x" << K << " " << left << right);
      }
}

BOOST_AUTO_TEST_CASE(the_reversed_factor_times_its_transpose_is_the_matrix) {
  for (const int64_t n : {1, 5, 128, 129, 300}) {
    const std::vector<double> h = random_gram(n);
    std::vector<double> r = h;
    BOOST_TEST(reversed_cholesky(r.data(), n) == -1);
    r = upper_of(r, n);
    const auto again = product({r.data(), n}, {r.data(), n, true}, n, n, n);
    BOOST_TEST(largest_difference(again, h) < 1e-9, n);
    const auto u = inverse_of_upper(r.data(), n, n);
    std::vector<double> one(size_t(n * n), 0.0);
    for (int64_t i = 0; i < n; ++i) one[size_t(i * n + i)] = 1;
    BOOST_TEST(largest_difference(product({r.data(), n}, {u.data(), n}, n, n, n), one) < 1e-7, n);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_positive_definite_is_found) {
  std::vector<double> h = random_gram(200);
  h[150 * 200 + 150] = -1;
  BOOST_TEST(reversed_cholesky(h.data(), 200) == 150);
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_number_of_threads) {
  const int before = threads();
  const std::vector<double> h = random_gram(300);
  std::vector<std::vector<double>> factors, products;
  for (const int count : {1, 2, 5}) {
    set_threads(count);
    factors.push_back(h);
    reversed_cholesky(factors.back().data(), 300);
    products.push_back(product({h.data(), 300}, {h.data(), 300, true}, 300, 300, 300));
    BOOST_TEST((factors.back() == factors.front()));
    BOOST_TEST((products.back() == products.front()));
  }
  set_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
