// GPTQ of a linear layer, mxfp4 with the pre-scale: seconds, beside libtorch's Cholesky factor of a
// matrix of that size, and what it lost beside the published loop and rounding to nearest.

#include "ptq/gptq.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <random>

#include "emu/threads.h"
#include "tests/bench/bench.h"
#include "tests/bench/products.h"

namespace mxref::bench {
namespace {

// Inputs whose channels go together, a few of them large, as activations are.
std::vector<float> inputs(int64_t T, int64_t K) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(size_t(T * K), 0.0f);
  for (int64_t t = 0; t < T; ++t) {
    const float common = normal(random);
    for (int64_t k = 0; k < K; ++k)
      x[size_t(t * K + k)] = (normal(random) + common) * (k % 97 == 0 ? 10.0f : 1.0f);
  }
  return x;
}

// N, K; the seconds of the best peer that was measured (FP-Quant's GPTQ) on a machine of this
// class.
struct Case {
  int64_t N, K;
  double peer_seconds;
};
constexpr Case cases[] = {{1536, 576, 0.25}, {4096, 4096, 6.4}};

}  // namespace

void bench_gptq(int repeat, Record& record) {
  limit_libraries();
  at::set_num_threads(threads());
  fmt::print(
      "GPTQ of one layer, mxfp4 with pre-scale 3/4, dynamic scales, {} threads, from its Hessian;\n"
      "Cholesky: times libtorch's of that size in binary64; peer: times faster than the best peer "
      "on\n"
      "a machine of this class; published: the loss of the published loop, whose codes these are "
      "but\n"
      "for rows that nearest serves better; nearest: the loss of rounding to nearest (ours is 1)\n",
      threads());
  fmt::print("{:>10}  {:>8}  {:>8}  {:>6}  {:>9}  {:>8}\n", "N,K", "seconds", "Cholesky", "peer",
             "published", "nearest");
  for (const auto& [N, K, peer_seconds] : cases) {
    const std::vector<float> w = inputs(N, K);
    Hessian sums(K);
    sums.add(inputs(2 * K, K));
    std::vector<double> h = sums.mean();
    std::vector<double> full(h.size());
    for (int64_t i = 0; i < K; ++i)
      for (int64_t j = i; j < K; ++j)
        full[size_t(i * K + j)] = full[size_t(j * K + i)] =
            h[size_t(i * K + j)] + (i == j ? 0.01 * h[0] : 0);
    const at::Tensor matrix = at::from_blob(full.data(), {K, K}, at::kDouble);
    const Conversion conversion{.format = &block_format("mxfp4"), .prescale = {3, 4}};
    const GptqResult ours = gptq(w, N, h, conversion, {});
    const GptqResult published = gptq(w, N, h, conversion, {.compare_with_nearest = false});
    const std::vector<double> seconds = best_seconds(
        repeat, {[&] { at::linalg_cholesky(matrix); }, [&] { gptq(w, N, h, conversion, {}); }});
    const double ratio = seconds[1] / seconds[0], faster = peer_seconds / seconds[1];
    fmt::print("{:>10}  {:8.3f}  {:8.2f}  {:6.1f}  {:9.4f}  {:8.3f}\n", fmt::format("{},{}", N, K),
               seconds[1], ratio, faster, published.loss / ours.loss,
               ours.nearest_loss / ours.loss);
    record.add({{"task", "gptq"},
                {"n", N},
                {"k", K},
                {"seconds", seconds[1]},
                {"ratio", ratio},
                {"times_faster_than_peer", faster},
                {"loss", ours.loss},
                {"published_loss", published.loss},
                {"nearest_loss", ours.nearest_loss},
                {"threads", threads()}});
  }
}

}  // namespace mxref::bench
