#include "ptq/gptq.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "emu/error.h"
#include "emu/quantize.h"
#include "emu/threads.h"
#include "ptq/fitted_scales.h"
#include "ptq/linear_algebra.h"

using namespace mxref;

namespace {

constexpr uint64_t seed = 5;

std::vector<float> random_values(int64_t count, uint64_t more) {
  std::mt19937_64 random(seed + more);
  std::normal_distribution<float> normal;
  std::vector<float> x(size_t(count), 0.0f);
  for (float& value : x) value = normal(random);
  return x;
}

// Inputs whose columns go together, and some of which are large.
std::vector<float> random_inputs(int64_t T, int64_t K) {
  const std::vector<float> noise = random_values(T * K, 1), common = random_values(T, 2);
  std::vector<float> x(noise.size());
  for (int64_t t = 0; t < T; ++t)
    for (int64_t k = 0; k < K; ++k)
      x[size_t(t * K + k)] = (noise[size_t(t * K + k)] + common[size_t(t)]) * (k % 13 == 0 ? 5 : 1);
  return x;
}

Conversion conversion_of(const char* format, Prescale p = {}) {
  return {.format = &block_format(format), .prescale = p};
}

// Frantar's loop as it is published, in binary64: U = chol(H⁻¹)ᵀ, the tail updated column by
// column.
MxTensor by_the_paper(std::vector<float> w, int64_t N, std::vector<double> h,
                      const Conversion& conversion, double damping) {
  const int64_t K = int64_t(w.size()) / N;
  double trace = 0;
  for (int64_t k = 0; k < K; ++k) trace += h[size_t(k * K + k)];
  for (int64_t k = 0; k < K; ++k) h[size_t(k * K + k)] += damping * trace / double(K);
  BOOST_REQUIRE(reversed_cholesky(h.data(), K) == -1);
  const std::vector<double> u = inverse_of_upper(h.data(), K, K);
  std::vector<double> now(w.begin(), w.end());
  MxTensor codes = quantize(w, {N, K}, conversion);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t k = 0; k < K; ++k) {
      const int64_t block = conversion.block;
      if (k % block == 0) {  // the scale, from the weights as they are
        const int64_t count = std::min(block, K - k);
        std::vector<float> values(now.begin() + n * K + k, now.begin() + n * K + k + count);
        codes.scales[size_t(n * codes.blocks_per_row() + k / block)] =
            quantize(values, {1, count}, conversion).scales[0];
      }
      const uint8_t scale = codes.scales[size_t(n * codes.blocks_per_row() + k / block)];
      // The code whose value is nearest, the even one on a tie.
      double least = INFINITY;
      uint8_t best = 0;
      for (uint32_t code = 0; code <= conversion.format->element->code_mask(); ++code) {
        if (!is_finite(*conversion.format->element, code)) continue;
        const double value =
            dequantize_element(*conversion.format, uint8_t(code), scale, conversion.prescale);
        const double distance = std::abs(value - now[size_t(n * K + k)]);
        if (distance < least || (distance == least && code % 2 == 0)) {
          least = distance;
          best = uint8_t(code);
        }
      }
      codes.codes[size_t(n * K + k)] = best;
      const double q = dequantize_element(*conversion.format, best, scale, conversion.prescale);
      const double error = (now[size_t(n * K + k)] - q) / u[size_t(k * K + k)];
      for (int64_t j = k; j < K; ++j) now[size_t(n * K + j)] -= error * u[size_t(k * K + j)];
    }
  return codes;
}

double share_of_different(const MxTensor& a, const MxTensor& b) {
  const std::vector<float> x = dequantize(a), y = dequantize(b);
  size_t different = 0;
  for (size_t i = 0; i < x.size(); ++i) different += x[i] != y[i];
  return double(different) / double(x.size());
}

struct Problem {
  int64_t N, K;
  std::vector<float> w;
  std::vector<double> h;
  Problem(int64_t N, int64_t K, int64_t T) : N(N), K(K), w(random_values(N * K, 3)) {
    Hessian hessian(K);
    hessian.add(random_inputs(T, K));
    h = hessian.mean();
  }
  double loss(const MxTensor& codes) const { return quadratic_error(w, dequantize(codes), N, h); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(gptq_codes)

BOOST_AUTO_TEST_CASE(the_hessian_is_the_mean_of_products) {
  constexpr int64_t T = 700, K = 130;
  const std::vector<float> x = random_inputs(T, K);
  Hessian in_two(K);
  in_two.add(std::span(x).first(300 * K));
  in_two.add(std::span(x).subspan(300 * K));
  const std::vector<double> h = in_two.mean();
  for (int64_t i = 0; i < K; i += 7)
    for (int64_t j = i; j < K; ++j) {
      double sum = 0;
      for (int64_t t = 0; t < T; ++t) sum += double(x[size_t(t * K + i)]) * x[size_t(t * K + j)];
      BOOST_TEST(std::abs(h[size_t(i * K + j)] - 2 * sum / T) < 1e-4 * (1 + std::abs(2 * sum / T)));
    }
}

// Two constructions of one loop: sums of what came before against updates of what comes after.
BOOST_AUTO_TEST_CASE(the_codes_are_those_of_the_published_loop) {
  const Problem p(24, 200, 500);
  for (const char* format : {"mxfp4", "mxfp8_e4m3", "mxint8", "mxfp6_e2m3"})
    for (const Prescale prescale : {Prescale{}, Prescale{3, 4}}) {
      const Conversion conversion = conversion_of(format, prescale);
      const GptqResult got = gptq(p.w, p.N, p.h, conversion, {});
      const MxTensor expected = by_the_paper(p.w, p.N, p.h, conversion, 0.01);
      // A rounding of binary32 that falls to the other side changes all of its row behind it.
      BOOST_TEST(share_of_different(got.codes, expected) < 0.02, format);
      // The control: rounding to nearest is another.
      BOOST_TEST(share_of_different(quantize(p.w, {p.N, p.K}, conversion), expected) > 0.1);
    }
}

BOOST_AUTO_TEST_CASE(the_loss_is_below_that_of_rounding_to_nearest_and_is_what_it_says) {
  const Problem p(70, 320, 900);
  for (const char* format : {"mxfp4", "mxfp6_e3m2", "mxfp8_e5m2", "mxint8", "nvfp4"})
    for (const bool order : {false, true})
      for (const bool fixed : {false, true}) {
        const Conversion conversion = conversion_of(format);
        const GptqResult got =
            gptq(p.w, p.N, p.h, conversion,
                 {.damping = 1e-6, .activation_order = order, .static_scales = fixed});
        const MxTensor nearest = quantize(p.w, {p.N, p.K}, conversion);
        BOOST_TEST(got.loss <= got.nearest_loss);
        BOOST_TEST(got.loss < 0.8 * got.nearest_loss, format << order << fixed);
        BOOST_TEST(std::abs(p.loss(got.codes) / got.loss - 1) < 0.01, format << order << fixed);
        BOOST_TEST(std::abs(p.loss(nearest) / got.nearest_loss - 1) < 0.01);
        BOOST_TEST((got.codes.conversion == conversion));
      }
}

BOOST_AUTO_TEST_CASE(static_scales_are_those_of_the_weights) {
  const Problem p(10, 96, 300);
  const Conversion conversion = conversion_of("mxfp4", {3, 4});
  const MxTensor nearest = quantize(p.w, {p.N, p.K}, conversion);
  BOOST_TEST(
      (gptq(p.w, p.N, p.h, conversion, {.static_scales = true}).codes.scales == nearest.scales));
  // The control.
  BOOST_TEST((gptq(p.w, p.N, p.h, conversion, {}).codes.scales != nearest.scales));
}

// Of one block under its tensor scale, whatever the code of its scale.
double least_error_of_a_block(const std::vector<float>& w, MxTensor q) {
  double least = INFINITY;
  for (int scale = 1; scale < q.format().scale->nan; ++scale) {
    q.scales[0] = uint8_t(scale);
    std::vector<double> nearest(w.size(), INFINITY);
    for (int code = 0; code < 16; ++code) {
      std::ranges::fill(q.codes, uint8_t(code));
      const std::vector<float> values = dequantize(q);
      for (size_t i = 0; i < w.size(); ++i)
        nearest[i] = std::min(nearest[i], std::pow(double(w[i]) - values[i], 2));
    }
    least = std::min(least, std::accumulate(nearest.begin(), nearest.end(), 0.0));
  }
  return least;
}

BOOST_AUTO_TEST_CASE(fitted_scales_lessen_the_error_of_nearest) {
  const Conversion conversion = conversion_of("nvfp4");
  const auto error = [](std::span<const float> w, const MxTensor& codes) {
    const std::vector<float> q = dequantize(codes);
    double sum = 0;
    for (size_t i = 0; i < q.size(); ++i) sum += std::pow(double(w[i]) - q[i], 2);
    return sum;
  };
  int less = 0;
  for (uint64_t more = 0; more < 20; ++more) {
    const std::vector<float> w = random_values(16, 100 + more);
    const MxTensor own = quantize(w, {1, 16}, conversion);
    const double least = least_error_of_a_block(w, own), first = error(w, own);
    BOOST_TEST(error(w, fit_scales(w, 1, conversion, 1)) <= least * (1 + 1e-6));
    less += least < first * 0.99;
  }
  BOOST_TEST(less > 5);  // the control: the format's own scale is not the best
  const Problem p(40, 96, 300);
  const MxTensor own = quantize(p.w, {p.N, p.K}, conversion);
  BOOST_TEST((fit_scales(p.w, p.N, conversion, 0) == own));
  double last = error(p.w, own);
  for (const int turns : {1, 2, 10}) {
    const double now = error(p.w, fit_scales(p.w, p.N, conversion, turns));
    BOOST_TEST(now <= last);
    last = now;
  }
  BOOST_TEST(last < 0.95 * error(p.w, own));
}

BOOST_AUTO_TEST_CASE(gptq_takes_fitted_scales_where_they_lessen_its_loss) {
  const Problem p(40, 96, 300);
  const auto run = [&](const char* format, int turns) {
    return gptq(p.w, p.N, p.h, conversion_of(format),
                {.activation_order = true, .scale_turns = turns});
  };
  const GptqResult own = run("nvfp4", 0), fitted = run("nvfp4", 10);
  BOOST_TEST(!own.fitted_scales);
  BOOST_TEST(fitted.fitted_scales);
  BOOST_TEST(fitted.loss < own.loss);
  BOOST_TEST(fitted.nearest_loss == own.nearest_loss);
  BOOST_TEST(p.loss(fitted.codes) < p.loss(own.codes));
  BOOST_TEST((run("mxfp4", 10).codes == run("mxfp4", 0).codes));  // no tensor scale
}

BOOST_AUTO_TEST_CASE(a_column_that_never_had_an_input_gets_zeros) {
  Problem p(8, 64, 300);
  for (int64_t i = 0; i < 64; ++i)
    p.h[size_t(std::min<int64_t>(i, 9) * 64 + std::max<int64_t>(i, 9))] = 0;
  const GptqResult got = gptq(p.w, p.N, p.h, conversion_of("mxfp8_e4m3"), {});
  BOOST_TEST(got.dead_columns == 1);
  for (int64_t n = 0; n < 8; ++n) BOOST_TEST(dequantize(got.codes)[size_t(n * 64 + 9)] == 0);
}

BOOST_AUTO_TEST_CASE(a_hessian_without_full_rank_is_damped_more_and_said) {
  Problem p(8, 96, 20);  // 20 inputs of 96 numbers
  const GptqResult got = gptq(p.w, p.N, p.h, conversion_of("mxfp4"), {.damping = 0});
  BOOST_TEST(got.retries > 0);
  BOOST_TEST(got.damping > 0);
  BOOST_TEST(got.loss <= got.nearest_loss);
  for (double& value : p.h) value = -std::abs(value);
  BOOST_CHECK_THROW(gptq(p.w, p.N, p.h, conversion_of("mxfp4"), {}), UsageError);
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_number_of_threads) {
  const int before = threads();
  const Problem p(150, 320, 900);
  std::vector<MxTensor> codes;
  for (const char* const format : {"mxfp4", "nvfp4"}) {
    codes.clear();
    for (const int count : {1, 2, 7}) {
      set_threads(count);
      codes.push_back(gptq(p.w, p.N, p.h, conversion_of(format), {.scale_turns = 3}).codes);
      BOOST_TEST((codes.back() == codes.front()));
    }
  }
  set_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()
